import Numerics
import Testing

@Suite struct StatisticsTests {
  @Test func agreesWithNumpyAndScipy() {
    let a = uniforms(25, seed: 7)
    let b = uniforms(25, seed: 8)
    let x = a.map { (10 * $0).rounded(.toNearestOrEven) / 10 }
    let y = zip(a, b).map { (10 * ($0 + $1)).rounded(.toNearestOrEven) / 10 }
    #expect(isClose(Statistics.correlation(x, y), 0.6195474058620088, 1e-12))
    #expect(isClose(Statistics.spearman(x, y), 0.6317856632914125, 1e-12))
    #expect(isClose(Statistics.kendall(x, y), 0.4665834941206893, 1e-12))
    let values = uniforms(25, seed: 9)
    let quantiles = [0.1, 0.33, 0.9].map { Statistics.quantile(values, $0) }
    #expect(isClose(quantiles, [0.06990868821740151, 0.21312120210379362, 0.8896985264960676], 1e-14))
    let even = uniforms(24, seed: 9)
    #expect(isClose(Statistics.median(even), 0.4189933680463582, 1e-14))
    #expect(isClose(Statistics.medianAbsoluteDeviation(even), 0.3221259764395654, 1e-14))
    #expect(isClose(Statistics.variance(even), 0.10383277369426837, 1e-14))
  }

  @Test func weightedMedian() {
    #expect(Statistics.weightedMedian([3, 1, 2], weights: [1, 1, 1]) == 2)
    #expect(Statistics.weightedMedian([3, 1, 2, 4], weights: [1, 1, 1, 1]) == 2.5)
    #expect(Statistics.weightedMedian([1, 10], weights: [1, 5]) == 10)
    #expect(Statistics.weightedMedian([1, 10, 99], weights: [1, 1, 0]) == 5.5)
    #expect(Statistics.weightedMedian([1], weights: [0]).isNaN)
  }

  @Test func edges() {
    #expect(Statistics.median([]).isNaN && Statistics.mean([]).isNaN && Statistics.variance([1]).isNaN)
    #expect(Statistics.median([1, .nan, 2]).isNaN)
    #expect(Statistics.quantile([5], 0.3) == 5)
    #expect(Statistics.quantile([1, 2], -1) == 1 && Statistics.quantile([1, 2], 2) == 2)
    #expect(Statistics.quantile([-.infinity, 1], 1) == 1)
    #expect(Statistics.correlation([1, 1], [1, 2]).isNaN && Statistics.kendall([1, 1], [1, 2]).isNaN)
    #expect(Statistics.correlation([1], [1, 2]).isNaN)
    #expect(Statistics.ranks([10, 5, 10]) == [2.5, 1, 2.5])
  }

  @Test func distributionsAgreeWithScipy() {
    let normal = [-3, 0.5, 1.96].map(Distributions.normalCDF)
    #expect(isClose(normal, [0.0013498980316300933, 0.6914624612740131, 0.9750021048517795], 1e-14))
    let quantiles = [0.025, 0.9, 1e-10].map(Distributions.normalQuantile)
    #expect(isClose(quantiles, [-1.9599639845400545, 1.2815515655446004, -6.361340902404056], 1e-12))
    #expect(isClose(Distributions.studentTCDF(-2, degreesOfFreedom: 3), 0.06966298427942152, 1e-12))
    #expect(isClose(Distributions.studentTCDF(1.5, degreesOfFreedom: 12.5), 0.9207787065051751, 1e-12))
    #expect(isClose(Distributions.studentTQuantile(0.975, degreesOfFreedom: 4), 2.7764451051977934, 1e-9))
    #expect(isClose(Distributions.studentTQuantile(0.05, degreesOfFreedom: 30), -1.6972608865939574, 1e-9))
    #expect(Distributions.normalQuantile(1.5).isNaN && Distributions.normalQuantile(0) == -.infinity)
    #expect(Distributions.studentTQuantile(0.5, degreesOfFreedom: -1).isNaN)
  }
}
