import Testing

@testable import GuerdonBench

struct HistogramTests {
    @Test func quantilesAreRightToOnePercent() {
        var histogram = Histogram()
        for value in 1...1_000_000 { histogram.record(Int64(value)) }
        for quantile in [0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1] {
            let expected = quantile * 1e6
            let error = abs(Double(histogram.value(at: quantile)) - expected)
            #expect(error <= expected / 100 + 1)
        }
        #expect(histogram.max == 1_000_000)
        #expect(histogram.count == 1_000_000)
    }

    @Test func smallValuesAreExact() {
        for value in Int64(0)...255 {
            var histogram = Histogram()
            histogram.record(value)
            #expect(histogram.value(at: 0.5) == value)
        }
    }

    @Test func countsMayBeRecordedTogether() {
        var one = Histogram()
        var many = Histogram()
        for _ in 0..<1_000 { one.record(12_345) }
        many.record(12_345, times: 1_000)
        #expect(one.value(at: 0.5) == many.value(at: 0.5))
        #expect(one.count == many.count)
    }

    @Test func extremesAreHeld() {
        var histogram = Histogram()
        #expect(histogram.value(at: 0.5) == 0)
        histogram.record(.max)
        #expect(histogram.value(at: 0.5) == .max)
    }

    @Test(arguments: [(0.0, 2, "0.00"), (1.005, 1, "1.0"), (12.3456, 3, "12.346"), (-0.04, 1, "0.0"), (-1.5, 0, "-2")])
    func measuredValuesArePrintedWithTheirDecimals(value: Double, digits: Int, text: String) {
        #expect(fixed(value, digits: digits) == text)
    }
}
