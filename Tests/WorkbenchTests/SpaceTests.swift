import Architectures
import Testing
import Workbench

@Suite struct SpaceTests {
  private func space(layers: [Int], operations: Int = 1) throws -> DesignSpace {
    try DesignSpace(
      DesignSpace.Choices(
        layerCounts: layers, hiddenSizes: [128], headCounts: [2],
        operations: Array(HeadOperation.allCases.prefix(operations)),
        feedForwardWidths: [256, 512, 1_024], maximumFeedForwardStack: 1))
  }

  @Test func cardinalityIsRounded() throws {
    #expect(SpaceSummary(.flexibert2).roundedCardinality == "1.6859e88")
    // 3 stacks, 4 operations of which pairs make 10 combinations: 30^n.
    #expect(SpaceSummary(try space(layers: [3], operations: 4)).roundedCardinality == "27000")
    #expect(SpaceSummary(try space(layers: [5], operations: 4)).roundedCardinality == "2.4300e7")
    // 3^4 + 3^12 = 531 522; 3^9 = 19 683.
    #expect(SpaceSummary(try space(layers: [4, 12])).roundedCardinality == "531522")
    let parts = SpaceSummary(try space(layers: [4, 12])).parts
    #expect(parts.map(\.layers) == [4, 12] && parts.map(\.count) == ["81", "531441"])
  }

  @Test func identifiersTellSpacesApart() throws {
    #expect(DesignSpace.flexibert2.id == "flexibert2")
    #expect(try space(layers: [2]).id != space(layers: [3]).id)
    #expect(try space(layers: [2]).id == space(layers: [2]).id)
  }

  @Test func comparisonHasARowAMethod() throws {
    let comparison = try SamplerComparison(.flexibert2, count: 30, seed: 2)
    #expect(Set(comparison.rows.map(\.method)) == Set(SamplingMethod.allCases))
    for row in comparison.rows {
      let points = try DesignSpace.flexibert2.sample(count: 30, seed: 2, method: row.method)
      #expect(row.distance == DesignSpace.flexibert2.pairwiseDistance(of: points) && row.distinct == 30)
    }
    // A space of three architectures repeats itself.
    #expect(try SamplerComparison(space(layers: [1]), count: 30, seed: 2).rows.allSatisfy { $0.distinct <= 3 })
  }
}
