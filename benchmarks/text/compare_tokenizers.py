#!/usr/bin/env python3
"""Our WordPiece tokeniser against Hugging Face's `tokenizers`: ids and token types must be identical.

Texts are 10 000 lines of $EDGETWIN_DATA/text and sentences of $EDGETWIN_DATA/glue (pairs as pairs), whole and truncated, uncased and cased,
and every Unicode scalar between two letters (where the two libraries' Unicode versions may differ; counted apart).
Compiles Sources/Text with benchmarks/text/tokenize.swift.

usage: compare_tokenizers.py [--fixture FILE]   (needs the package tokenizers, swiftc and EDGETWIN_DATA)
--fixture writes the known answers that the tests hold: short strings of this file, with Hugging Face's ids in a small vocabulary.
"""
import argparse
import collections
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

from tokenizers import BertWordPieceTokenizer

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

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


def theirs(vocabulary, lowercase, requests):
    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=lowercase)
    tokenizer.no_padding()
    results, begin = [], time.perf_counter()
    for request in requests:
        tokenizer.enable_truncation(request["maximum"])
        encoding = tokenizer.encode(request["text"], request.get("pair"))
        results.append({"ids": encoding.ids, "types": encoding.type_ids})
    return results, time.perf_counter() - begin


def compile_ours(folder):
    program = os.path.join(folder, "tokenize")
    sources = sorted(glob.glob(os.path.join(ROOT, "Sources", "Text", "*.swift")))
    subprocess.run(["swiftc", "-O", "-wmo", "-parse-as-library", "-swift-version", "6", *sources,
                    os.path.join(ROOT, "benchmarks", "text", "tokenize.swift"), "-o", program], check=True)
    return program


def ours(program, vocabulary, lowercase, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    run = subprocess.run([program, vocabulary, "lowercase" if lowercase else "cased"], input=lines.encode(), capture_output=True)
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


def write_fixture(path, scratch):
    vocabulary = os.path.join(scratch, "small.txt")
    with open(vocabulary, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(token + "\n" for token in small_vocabulary())
    requests = [{"text": text, "maximum": 512} for text in SHORT]
    requests += [{"text": a, "pair": b, "maximum": maximum} for a, b in PAIRS for maximum in (512, 8, 7, 4)]
    requests += [{"text": SHORT[0], "maximum": 4}]
    fixture = {"vocabulary": small_vocabulary(), "cases": []}
    for lowercase in (True, False):
        for request, answer in zip(requests, theirs(vocabulary, lowercase, requests)[0]):
            fixture["cases"].append({"lowercase": lowercase, **request, **answer})
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write('{"vocabulary":' + json.dumps(fixture["vocabulary"]) + ',\n"cases":[\n')
        file.write(",\n".join(json.dumps(case) for case in fixture["cases"]) + "\n]}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fixture")
    parser.add_argument("--vocabulary", help="default: $EDGETWIN_DATA/vocab/bert_uncased_vocab.txt")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if options.fixture:
            write_fixture(options.fixture, scratch)
            return
        data = os.environ.get("EDGETWIN_DATA") or sys.exit("set EDGETWIN_DATA to the folder with the shared data")
        vocabulary = options.vocabulary or os.path.join(data, "vocab", "bert_uncased_vocab.txt")
        program = compile_ours(scratch)
        failures = 0
        print("| texts | tokens | different | MB/s, ours | MB/s, theirs |\n| --- | --- | --- | --- | --- |")
        for lowercase in (True, False):
            requests = corpus(data)
            expected, seconds = theirs(vocabulary, lowercase, requests)
            got, timing = ours(program, vocabulary, lowercase, requests)
            wrong = [i for i, (a, b) in enumerate(zip(got, expected)) if a != b]
            failures += len(wrong) + abs(len(got) - len(expected))
            megabytes = timing["bytes"] / 1e6
            print(f"| {len(requests)} {'uncased' if lowercase else 'cased'} | {sum(len(e['ids']) for e in expected)} | {len(wrong)} "
                  f"| {megabytes / timing['seconds']:.1f} | {megabytes / seconds:.1f} |")
            for i in wrong[:5]:
                print(f"  {requests[i]}\n  ours   {got[i]}\n  theirs {expected[i]}", file=sys.stderr)
        scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
        for lowercase in (True, False):
            requests = [{"text": f"a{c}b {c}", "maximum": 100} for c in scalars]
            expected, _ = theirs(vocabulary, lowercase, requests)
            got, _ = ours(program, vocabulary, lowercase, requests)
            wrong = [c for c, a, b in zip(scalars, got, expected) if a != b]
            kinds = collections.Counter(unicodedata.category(c) for c in wrong)
            print(f"| {len(scalars)} single scalars, {'uncased' if lowercase else 'cased'} | | {len(wrong)} | | |")
            print(f"single scalars that differ: {dict(kinds)}, such as {[hex(ord(c)) for c in wrong[:40]]}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
