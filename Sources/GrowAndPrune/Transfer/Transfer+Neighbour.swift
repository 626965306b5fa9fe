import Architectures
import ModelFiles

extension Transfer {
  /// A model of an architecture that begins with what another, without a common lineage, has learnt: the knowledge transfer between neighbours of
  /// FlexiBERT (Tuli et al. 2022, section 3.3), layer by layer and head by head (``Pedigree/init(matching:to:)``).
  ///
  /// - Parameters:
  ///   - parent: with the vocabulary that the child is to have.
  ///   - unequalSizes: what becomes of parts whose sizes differ.
  ///   - seed: of what is new and of projections.
  /// - Throws: `InputFileError` where the vocabularies are of different sizes, `ModelFileError`.
  package static func child(
    ofNeighbour parent: Model, as architecture: Architecture, unequalSizes: TransferOptions.UnequalSizes, seed: UInt64
  ) throws -> (model: Model, report: TransferReport) {
    let other = parent.architecture
    guard architecture.vocabularySize == other.vocabularySize else {
      throw InputFileError(
        source: "architecture", field: "vocabulary_size",
        problem: "is \(architecture.vocabularySize); the model that it learns from has \(other.vocabularySize)")
    }
    let from = Pedigree(root: other)
    return try child(
      of: parent, from: from, to: Pedigree(matching: architecture, to: from),
      options: TransferOptions(unequalSizes: unequalSizes, seed: seed))
  }
}
