/// Which keys may have been added to a table since some moment: told by nine bits of a key.
///
/// The owner calls `deallocate()` once.
struct RecentKeys {
    // When a key with these bits was added last. Times go round: what was added long ago may pass for new, and never the other
    // way round while a search is younger than two thousand million additions.
    private let marks: UnsafeMutablePointer<UInt32>
    /// The number of keys that have been added.
    private(set) var time: UInt32 = 0

    private static let markCount = 512

    init() {
        marks = .allocate(capacity: Self.markCount)
        marks.initialize(repeating: 0, count: Self.markCount)
    }

    func deallocate() { marks.deallocate() }

    /// Notes that a key has been added.
    @inline(__always)
    mutating func add(_ key: ExternalIdKey) {
        time &+= 1
        marks[Self.mark(key)] = time
    }

    /// Whether the key may have been added since; few answers are wrong, and then it is yes.
    @inline(__always)
    func mayHold(_ key: ExternalIdKey, since time: UInt32) -> Bool {
        Int32(bitPattern: marks[Self.mark(key)] &- time) > 0
    }

    @inline(__always)
    private static func mark(_ key: ExternalIdKey) -> Int { Int(truncatingIfNeeded: key.low) & (markCount &- 1) }
}
