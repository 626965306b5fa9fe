extension Architecture {
  /// A stable 64-bit hash of the content, as 16 lower-case hexadecimal digits.
  ///
  /// The FNV-1a hash (offset basis 14695981039346656037, prime 1099511628211) of the UTF-8 bytes of
  /// ``canonicalText``. Equal architectures have equal identifiers on every machine and in every version of
  /// this program; the order of heads is part of the content.
  public var id: String {
    var hash: UInt64 = 14_695_981_039_346_656_037
    for byte in canonicalText.utf8 {
      hash ^= UInt64(byte)
      hash &*= 1_099_511_628_211
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// What ``id`` is the hash of, for example
  /// `v50265 p514 t1 relative_key|h256 d64 sa_sdp,sa_sdp,l_dft,c_5 f1024,512|h128 d64 sa_wma,c_13 f256`.
  public var canonicalText: String {
    var text = "v\(vocabularySize) p\(maximumPositions) t\(typeVocabularySize) \(position.rawValue)"
    for layer in layers {
      text += "|h\(layer.hiddenSize) d\(layer.headSize) "
      text += layer.heads.map(\.name).joined(separator: ",")
      text += " f" + layer.feedForward.map(String.init).joined(separator: ",")
    }
    return text
  }
}
