#!/usr/bin/env python3
"""Our tokenisers against Hugging Face's `tokenizers`: ids and token types must be identical.

Texts are 10 000 lines of $EDGETWIN_DATA/text and sentences of $EDGETWIN_DATA/glue (pairs as pairs), whole and truncated, by BERT's vocabulary
(uncased and cased) and RoBERTa's, and every Unicode scalar between two letters (where the two libraries' Unicode versions may differ;
counted apart). Then vocabularies of 8 192 are learnt from the books: byte-level BPE must be that of `tokenizers`, file for file; of
word pieces the number in common is shown, since `tokenizers` orders their letters by chance. Compiles Sources/Text with tokenize.swift.

usage: compare_tokenizers.py [--fixtures]   (needs the package tokenizers, swiftc and EDGETWIN_DATA)
--fixtures writes the known answers that the tests hold: short strings of this file, with Hugging Face's ids in small
vocabularies.
"""
import argparse
import collections
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata

from tokenizers import AddedToken, BertWordPieceTokenizer, ByteLevelBPETokenizer
from tokenizers.processors import RobertaProcessing

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FIXTURES = os.path.join(ROOT, "Tests", "TextTests", "Fixtures")

SHORT = [
    "Hello, world!", "Crème brûlée, naïve façade", "don't stop: it's 3.14%", "中文字符 mixed with English", "日本語のテキスト",
    "한국어 문장", "smile 😀 and 👩‍💻", "tab\tand\nnew line\r\n", "Ünïcödé ΑΒΓΔ ς Σ", "İstanbul ı", "unaffable unaffableness",
    "[MASK] is [SEP] here", "[mask] [MASKED]", "", " \t ", "zero\u200bwidth\u00adhyphen\ufeff", "nul\u0000and\ufffdreplacement",
    "non\u00a0breaking\u3000space", "e\u0301 combining \u0301", "¿Qué? «guillemets» — dash…", "a" * 100, "a" * 101,
    "é" * 100, "1st 2nd 10,000", "ﬁ ligature ½ ²", "\u037e Greek question mark", "\u1e9e ß ẞ", "_under_score~tilde`grave",
    "$5 + 3 = 8 ^ 2 < 9 > 1 | 0", "𝒻𝒶𝓃𝒸𝓎 𝟙𝟚", "\U0002f800 豈 compatibility", "кириллица Й ё", "עִבְרִית عَرَبِيّ", "हिन्दी में", "ไทย",
    "line\u2028separator\u0085next", "x\ue000y private", "##ing ing##",
]
PAIRS = [("unaffable, really?", "it's 3.14%"), ("a a a a a a", "a"), ("a", "a a a a a a"), ("a a a a a", "a a a a a"), ("", "a"), ("a", "")]


def small_vocabulary():
    """Pieces for the known answers: few, but of every kind."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "Hello", "world", "un", "##aff", "##able", "##ness", "don", "'", "t", "it",
             "s", "3", "14", ".", "%", ",", "!", "?", ":", "a", "##a", "##aa", "and", "e", "é", "##e", "##é", "is", "here", "mask", "[", "]",
             "space", "zero", "##width", "##hyphen", "nul", "##replacement", "##and", "combining", "creme", "brulee", "naive", "facade",
             "Crème", "中", "文", "字", "符", "日", "本", "語", "の", "##テ", "##キ", "テ", "smile", "😀", "with", "english", "English",
             "i", "##stanbul", "ı", "İ", "unicode", "αβγδ", "ς", "σ", "Σ", "ß", "ss", ";", "豈", "丽", "8", "10", "000", "1", "##st", "2", "##nd",
             "fi", "½", "²", "ligature", "_", "under", "score", "~", "tilde", "`", "grave", "$", "5", "+", "=", "^", "<", ">", "|", "0",
             "кириллица", "и", "й", "е", "ё", "#", "ing", "##ing", "non", "breaking", "que", "«", "»", "¿", "—", "…", "guillemets", "dash",
             "line", "##next", "new", "tab", "x", "##y", "private", "masked", "separator"]
    jamo = sorted(set(unicodedata.normalize("NFD", "한국어문장")))
    return words + jamo + ["##" + letter for letter in jamo] + ["한국어", "문장"]


SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def roberta(folder):
    """As RobertaTokenizerFast puts it together."""
    tokenizer = ByteLevelBPETokenizer(os.path.join(folder, "vocab.json"), os.path.join(folder, "merges.txt"))
    tokenizer.add_special_tokens([AddedToken(token, lstrip=token == "<mask>") for token in SPECIALS])
    tokenizer._tokenizer.post_processor = RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False)
    return tokenizer


def theirs(folder, requests):
    if os.path.exists(os.path.join(folder, "vocab.json")):
        tokenizer = roberta(folder)
    else:
        with open(os.path.join(folder, "tokenizer_config.json"), encoding="utf-8") as file:
            lowercase = json.load(file)["do_lower_case"]
        tokenizer = BertWordPieceTokenizer(os.path.join(folder, "vocab.txt"), lowercase=lowercase)
    tokenizer.no_padding()
    results, begin = [], time.perf_counter()
    for request in requests:
        tokenizer.enable_truncation(request["maximum"])
        encoding = tokenizer.encode(request["text"], request.get("pair"))
        results.append({"ids": encoding.ids, "types": encoding.type_ids})
    return results, time.perf_counter() - begin


def word_pieces(scratch, name, vocabulary, lowercase):
    """A folder with a WordPiece vocabulary."""
    folder = os.path.join(scratch, name)
    os.makedirs(folder, exist_ok=True)
    shutil.copy(vocabulary, os.path.join(folder, "vocab.txt"))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump({"do_lower_case": lowercase}, file)
    return folder


def compile_ours(folder):
    program = os.path.join(folder, "tokenize")
    sources = sorted(glob.glob(os.path.join(ROOT, "Sources", "Text", "**", "*.swift"), recursive=True))
    subprocess.run(["swiftc", "-O", "-wmo", "-parse-as-library", "-swift-version", "6", *sources,
                    os.path.join(ROOT, "benchmarks", "text", "tokenize.swift"), "-o", program], check=True)
    return program


def ours(program, folder, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    run = subprocess.run([program, folder], input=lines.encode(), capture_output=True)
    if run.returncode:
        sys.exit(run.stderr.decode())
    return [json.loads(line) for line in run.stdout.splitlines()], json.loads(run.stderr)


def corpus(data):
    """10 000 texts: half lines of the books and articles, half rows of GLUE, every other one of these as a pair."""
    draw = random.Random(1)
    lines = []
    for path in sorted(glob.glob(os.path.join(data, "text", "*.txt"))):
        with open(path, encoding="utf-8") as file:
            lines += [line.rstrip("\n") for line in file if line.strip()]
    requests = [{"text": line} for line in draw.sample(lines, 5000)]
    rows = []
    for path in sorted(glob.glob(os.path.join(data, "glue", "*", "*.tsv"))):
        with open(path, encoding="utf-8") as file:
            rows += [line.rstrip("\n").split("\t") for line in file if line.strip()]
    for row in draw.sample(rows, 5000):
        texts = sorted(row, key=len, reverse=True)[:2]
        requests.append({"text": texts[0], "pair": texts[1]} if len(texts) > 1 and len(requests) % 2 else {"text": texts[0]})
    for request in requests:
        request["maximum"] = draw.choice([16, 33, 64, 128, 100_000])
    return requests


BYTE_TEXTS = [
    "Hello, world!", " Hello", "  two  spaces  ", "don't, we'll; they've I'M 'twas o'clock's", "tab\tnew\n\nline \n x", "naïve façade — 北京 😀", "12 345 6.7e8",
    "<s>in</s> text <mask>.", "a  <mask> b<mask>", "<mask>", "", " ", "\n", "x\u00a0y\u3000z\u2028w", "½ ² Ⅻ ٣", "#$%^&*()_+ '''s'd''ll", "can't've", " 's", "a" * 200,
    "<unk><pad> <MASK>", "e\u0301 \u0301", "ﬁ İ ß \u1e9e", "trailing space ", "\u200bzero", "the theatre then thenceforth breathe",
]


def write_lines(path, head, cases):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write("{" + head + ',\n"cases":[\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]}\n")


def write_fixtures(scratch):
    vocabulary = os.path.join(scratch, "small.txt")
    with open(vocabulary, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(token + "\n" for token in small_vocabulary())
    requests = [{"text": text, "maximum": 512} for text in SHORT]
    requests += [{"text": a, "pair": b, "maximum": maximum} for a, b in PAIRS for maximum in (512, 8, 7, 4)]
    requests += [{"text": SHORT[0], "maximum": 4}]
    cases = []
    for lowercase in (True, False):
        folder = word_pieces(scratch, f"small-{lowercase}", vocabulary, lowercase)
        cases += [{"lowercase": lowercase, **request, **answer} for request, answer in zip(requests, theirs(folder, requests)[0])]
    write_lines(os.path.join(FIXTURES, "wordpiece.json"), '"vocabulary":' + json.dumps(small_vocabulary()), cases)

    # Byte-level: a vocabulary that `tokenizers` learns from the texts themselves, so that learning has a known answer too.
    lines = [text for text in SHORT + BYTE_TEXTS if text] * 2
    learnt = ByteLevelBPETokenizer()
    learnt.train_from_iterator(lines, vocab_size=420, min_frequency=2, special_tokens=SPECIALS, show_progress=False)
    folder = os.path.join(FIXTURES, "bytelevel")
    os.makedirs(folder, exist_ok=True)
    learnt.save_model(folder)
    requests = [{"text": text, "maximum": 512} for text in SHORT + BYTE_TEXTS]
    requests += [{"text": a, "pair": b, "maximum": maximum} for a, b in PAIRS for maximum in (512, 9, 8, 5)]
    cases = [{**request, **answer} for request, answer in zip(requests, theirs(folder, requests)[0])]
    write_lines(os.path.join(folder, "cases.json"), '"corpus":' + json.dumps(lines), cases)


def compare(program, name, folder, requests):
    """Prints a row; returns the number of texts that differ."""
    expected, seconds = theirs(folder, requests)
    got, timing = ours(program, folder, requests)
    wrong = [i for i, (a, b) in enumerate(zip(got, expected)) if a != b]
    megabytes = timing["bytes"] / 1e6
    print(f"| {len(requests)} {name} | {sum(len(e['ids']) for e in expected)} | {len(wrong)} "
          f"| {megabytes / timing['seconds']:.1f} | {megabytes / seconds:.1f} |", flush=True)
    for i in wrong[:5]:
        print(f"  {requests[i]}\n  ours   {got[i]}\n  theirs {expected[i]}", file=sys.stderr)
    return len(wrong) + abs(len(got) - len(expected))


def compare_scalars(program, name, folder):
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    requests = [{"text": f"a{c}b {c}", "maximum": 100} for c in scalars]
    expected, _ = theirs(folder, requests)
    got, _ = ours(program, folder, requests)
    wrong = [c for c, a, b in zip(scalars, got, expected) if a != b]
    kinds = collections.Counter(unicodedata.category(c) for c in wrong)
    print(f"| {len(scalars)} single scalars, {name} | | {len(wrong)} | | |", flush=True)
    print(f"single scalars that differ: {dict(kinds)}, such as {[hex(ord(c)) for c in wrong[:40]]}", file=sys.stderr)


def contents(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def compare_learning(program, data, scratch):
    """Learns from the books by both; returns the number of byte-level files that differ."""
    corpus = os.path.join(data, "text", "gutenberg_books.txt")
    lines = [line for line in contents(corpus).split("\n") if line]
    failures = 0
    for kind, size in (("bpe", 8192), ("wordpiece", 8192)):
        folder, other = os.path.join(scratch, f"ours-{kind}"), os.path.join(scratch, f"theirs-{kind}")
        run = subprocess.run([program, folder, "train", kind, str(size), corpus], capture_output=True, check=True)
        seconds = json.loads(run.stderr)["seconds"]
        begin = time.perf_counter()
        if kind == "bpe":
            learnt = ByteLevelBPETokenizer()
            learnt.train_from_iterator(lines, vocab_size=size, min_frequency=2, special_tokens=SPECIALS, show_progress=False)
        else:
            learnt = BertWordPieceTokenizer()
            learnt.train_from_iterator(lines, vocab_size=size, min_frequency=2, limit_alphabet=2000, show_progress=False)
        theirs_seconds = time.perf_counter() - begin
        os.makedirs(other, exist_ok=True)
        learnt.save_model(other)
        if kind == "bpe":
            different = json.loads(contents(folder, "vocab.json")) != json.loads(contents(other, "vocab.json"))
            different += contents(folder, "merges.txt") != contents(other, "merges.txt")
            failures += different
            result = "DIFFERENT" if different else "identical"
        else:
            a, b = (set(contents(path, "vocab.txt").split("\n")[:-1]) for path in (folder, other))
            result = f"{len(a & b)} of {len(a)} and {len(b)} in common"
        print(f"| learning {kind}, {size} tokens | {result} | | {seconds:.2f} s | {theirs_seconds:.2f} s |", flush=True)
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fixtures", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.fixtures:
            write_fixtures(scratch)
            return
        data = os.environ.get("EDGETWIN_DATA") or sys.exit("set EDGETWIN_DATA to the folder with the shared data")
        bert = os.path.join(data, "vocab", "bert_uncased_vocab.txt")
        program = compile_ours(scratch)
        folders = {name: word_pieces(scratch, name, bert, name == "uncased") for name in ("uncased", "cased")}
        folders["RoBERTa"] = os.path.join(scratch, "roberta")
        os.makedirs(folders["RoBERTa"])
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(os.path.join(data, "vocab", f"roberta_{name}"), os.path.join(folders["RoBERTa"], name))
        print("| texts | tokens | different | MB/s, ours | MB/s, theirs |\n| --- | --- | --- | --- | --- |")
        failures = sum(compare(program, name, folder, corpus(data)) for name, folder in folders.items())
        failures += compare_learning(program, data, scratch)
        for name, folder in folders.items():
            compare_scalars(program, name, folder)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
