/// Reads times, and remembers the last one: most actions of a stream happened in the same second as the one before, or at
/// least on the same day.
struct TimeMemory {
    private struct Last {
        // The text's twenty bytes in words that overlap.
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0
        var time: Int64 = 0
    }
    private let last: UnsafeMutablePointer<Last>

    init() {
        last = .allocate(capacity: 1)
        last.initialize(to: Last())
    }

    func deallocate() { last.deallocate() }

    /// As ``TimeText/time(_:)``.
    @inline(__always)
    func time(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count == 20, let base = text.baseAddress else { return TimeText.time(text) }
        let first = base.loadUnaligned(as: UInt64.self)
        let second = base.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let third = base.loadUnaligned(fromByteOffset: 12, as: UInt64.self)
        // No text begins with zeros, so nothing is found before something was kept.
        if last.pointee.first == first, last.pointee.second == second, last.pointee.third == third {
            return last.pointee.time
        }
        guard let time = TimeText.time(text) else { return nil }
        last.pointee = Last(first: first, second: second, third: third, time: time)
        return time
    }
}
