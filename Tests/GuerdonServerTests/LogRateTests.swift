import Testing

@testable import GuerdonEngine

/// What is expected to be written while a snapshot is under way.
@Suite struct LogRateTests {
    private let second: Int64 = 1_000_000_000

    @Test func aSteadyRateIsToldByTheSecond() {
        var rate = LogRate(bytes: 500, at: 0)
        var told: UInt64 = 0
        // 2,000 bytes every 100 ms.
        for tick in 1...35 { told = rate.note(bytes: 500 + UInt64(tick) * 2000, at: Int64(tick) * second / 10) }
        #expect(told == 20_000)
    }

    @Test func aSecondThatHasJustBegunCountsForWhatItHasAlready() {
        var rate = LogRate(bytes: 0, at: 0)
        #expect(rate.note(bytes: 7_000, at: second / 100) == 7_000)
        // Quiet seconds before it do not hide a busy one, nor the other way round.
        #expect(rate.note(bytes: 7_000, at: 3 * second) == 2_333)
        #expect(rate.note(bytes: 107_000, at: 3 * second + 1) == 100_000)
    }

    @Test func nothingIsToldOfAnEngineThatRests() {
        var rate = LogRate(bytes: 0, at: 0)
        rate.note(bytes: 1_000_000, at: second)
        rate.note(bytes: 1_000_000, at: 2 * second)
        #expect(rate.note(bytes: 1_000_000, at: 2 * second + second / 2) == 0)
    }
}
