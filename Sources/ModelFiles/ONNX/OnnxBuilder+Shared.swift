/// Values that do not belong to one layer: sizes, masks, transforms along the tokens.
extension OnnxBuilder {
  /// Length of the padded sequences, [1].
  var length: String {
    mutating get {
      shared(.length) { builder in
        let shape = builder.graph.add("Shape", ["input_ids"])
        return builder.graph.slice(shape, from: builder.graph.integers([1]), to: builder.graph.integers([2]), axis: 0)
      }
    }
  }

  /// 1 at tokens and 0 at padding, [batch, sequence].
  var mask: String {
    mutating get {
      shared(.mask) { $0.graph.add("Cast", ["attention_mask"], [("to", .integer(1))]) }
    }
  }

  /// The mask as [batch, sequence, 1].
  var maskRows: String {
    mutating get {
      shared(.maskRows) { builder in
        let mask = builder.mask
        return builder.graph.add("Unsqueeze", [mask, builder.graph.integers([2])])
      }
    }
  }

  /// The mask as [batch, 1, 1, sequence].
  var maskColumns: String {
    mutating get {
      shared(.maskColumns) { builder in
        let mask = builder.mask
        return builder.graph.add("Unsqueeze", [mask, builder.graph.integers([1, 2])])
      }
    }
  }

  /// What is added to scores, [batch, 1, 1, sequence]; the operators are those that runtimes recognise.
  var scoreMask: String {
    mutating get {
      shared(.scoreMask) { builder in
        let once = builder.graph.add("Unsqueeze", ["attention_mask", builder.graph.integers([1])])
        let twice = builder.graph.add("Unsqueeze", [once, builder.graph.integers([2])])
        let number = builder.graph.add("Cast", [twice], [("to", .integer(1))])
        let inverse = builder.graph.add("Sub", [builder.graph.number(1), number])
        return builder.graph.times(inverse, builder.graph.number(-.greatestFiniteMagnitude))
      }
    }
  }

  /// `left` plus or minus `right`, both of one axis with one element.
  private mutating func sum(_ left: String, _ operation: String, _ right: String) -> String {
    graph.add(operation, [left, right])
  }

  // MARK: Relative positions

  /// First and last of the 2L columns of a table of 2P distances (the last a zero) that sequences of length L need.
  var window: (start: String, end: String) {
    mutating get {
      let positions = architecture.maximumPositions
      let start = shared(.windowStart) { builder in
        let length = builder.length
        return builder.sum(builder.graph.integers([positions]), "Sub", length)
      }
      let end = shared(.windowEnd) { builder in
        let length = builder.length
        return builder.sum(builder.graph.integers([positions]), "Add", length)
      }
      return (start, end)
    }
  }

  /// Rows of 2L numbers, one for every distance, to rows of L, one for every token: row s moves s to the left, which a
  /// reading of the same numbers in rows of 2L − 1 does.
  mutating func skewed(_ x: String) -> String {
    let start = shared(.skewStart) { builder in
      let length = builder.length
      return builder.sum(length, "Sub", builder.graph.integers([1]))
    }
    let end = shared(.skewEnd) { builder in
      // L − 1 + L (2L − 1) = 2L² − 1.
      let length = builder.length
      let square = builder.graph.times(length, length)
      let double = builder.graph.plus(square, square)
      return builder.sum(double, "Sub", builder.graph.integers([1]))
    }
    let shape = shared(.skewShape) { builder in
      let length = builder.length
      return builder.graph.add(
        "Concat", [builder.graph.integers([0, 0]), length, builder.graph.integers([-1])], [("axis", .integer(0))])
    }
    let flat = graph.reshape(x, [0, 0, -1])
    let moved = graph.slice(flat, from: start, to: end, axis: 2)
    let rows = graph.add("Reshape", [moved, shape])
    return graph.slice(rows, from: graph.integers([0]), to: length, axis: 3)
  }

  // MARK: Convolutions

  /// Weights of taps [batch, heads, sequence, taps] to bands [batch, heads, sequence, sequence + taps − 1] in which row t
  /// has them from column t on: `skewed` the other way.
  mutating func banded(_ x: String, taps: Int) -> String {
    let pads = shared(.bandPads) { builder in
      let length = builder.length
      return builder.graph.add(
        "Concat", [builder.graph.integers([0, 0, 0, 0, 0, 0, 0]), length], [("axis", .integer(0))])
    }
    let end = shared(.bandEnd(taps)) { builder in
      // L (L + K − 1).
      let length = builder.length
      let width = builder.graph.plus(length, builder.graph.integers([taps - 1]))
      return builder.graph.times(length, width)
    }
    let shape = shared(.bandShape(taps)) { builder in
      let length = builder.length
      return builder.graph.add(
        "Concat", [builder.graph.integers([0, 0]), length, builder.graph.integers([-1])], [("axis", .integer(0))])
    }
    let padded = graph.add("Pad", [x, pads])
    let flat = graph.reshape(padded, [0, 0, -1])
    let cut = graph.slice(flat, from: graph.integers([0]), to: end, axis: 2)
    return graph.add("Reshape", [cut, shape])
  }

  // MARK: Transforms along the tokens

  /// Tokens of each sentence, at least 1, [batch, 1, 1].
  private var tokenCount: String {
    mutating get {
      shared(.tokenCount) { builder in
        let mask = builder.mask
        let sum = builder.graph.add("ReduceSum", [mask, builder.graph.integers([1])], [("keepdims", .integer(1))])
        let atLeastOne = builder.graph.add("Max", [sum, builder.graph.number(1)])
        return builder.graph.add("Unsqueeze", [atLeastOne, builder.graph.integers([2])])
      }
    }
  }

  /// 0, 1, … as numbers, [sequence].
  private var positions: String {
    mutating get {
      shared(.positions) { builder in
        let length = builder.length
        let scalar = builder.graph.add("Squeeze", [length])
        let zero = builder.graph.constant("zero", shape: [], .integers([0]))
        let one = builder.graph.constant("one", shape: [], .integers([1]))
        let range = builder.graph.add("Range", [zero, scalar, one])
        return builder.graph.add("Cast", [range], [("to", .integer(1))])
      }
    }
  }

  /// angle(j, l) = 2π · (row_j · column_l mod period) / period with period = n · `periods`, [batch, sequence, sequence].
  ///
  /// The products are whole numbers below 2²⁴ up to 2 896 tokens, so that the rest is exact and the angle as precise as its
  /// format; a cosine of the product itself would lose four digits.
  private mutating func angles(columns: String, periods: Float) -> String {
    let positions = positions
    let rows = graph.add("Unsqueeze", [positions, graph.integers([1])])
    let product = graph.times(rows, columns)
    let period = graph.times(tokenCount, graph.number(periods))
    let turns = graph.add("Floor", [graph.add("Div", [product, period])])
    let rest = graph.add("Sub", [product, graph.times(turns, period)])
    return graph.times(rest, graph.add("Div", [graph.number(2 * .pi), period]))
  }

  /// Both indices below the sentence's length: 1, else 0; [batch, sequence, sequence].
  private var square: String {
    mutating get {
      let rows = maskRows
      let mask = mask
      let columns = graph.add("Unsqueeze", [mask, graph.integers([1])])
      return graph.times(rows, columns)
    }
  }

  /// The orthonormal DCT-II of each sentence: c_j cos(π (2l + 1) j / 2n), [batch, sequence, sequence].
  var cosineTransform: String {
    mutating get {
      shared(.cosine) { builder in
        let positions = builder.positions
        let double = builder.graph.plus(positions, positions)
        let odd = builder.graph.plus(double, builder.graph.number(1))
        let angles = builder.angles(columns: odd, periods: 4)
        let waves = builder.graph.times(builder.graph.add("Cos", [angles]), builder.square)
        // c₀ = √(1/n), else √(2/n).
        let count = builder.tokenCount
        let one = builder.graph.number(1)
        let isLater = builder.graph.add("Min", [positions, one])
        let column = builder.graph.add(
          "Unsqueeze", [builder.graph.plus(isLater, one), builder.graph.integers([1])])
        let factor = builder.graph.add("Sqrt", [builder.graph.add("Div", [column, count])])
        return builder.graph.times(waves, factor)
      }
    }
  }

  /// Real and imaginary part, without its sign, of the unitary DFT of each sentence.
  var fourierTransform: (real: String, imaginary: String) {
    mutating get {
      (
        shared(.fourierReal) { $0.fourier("Cos") }, shared(.fourierImaginary) { $0.fourier("Sin") }
      )
    }
  }

  private mutating func fourier(_ function: String) -> String {
    let angles = angles(columns: positions, periods: 1)
    let waves = graph.times(graph.add(function, [angles]), square)
    return graph.add("Div", [waves, graph.add("Sqrt", [tokenCount])])
  }
}
