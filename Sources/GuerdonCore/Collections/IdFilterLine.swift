import CIntrinsics

/// A cache line of a filter: up to 28 fingerprints of 16 bits, and a word that says which of 32 buckets each is in.
///
/// The fingerprints are in order of their buckets. The word holds as many ones for each bucket as it has fingerprints, and a
/// zero behind them, from the least significant bit on: the fingerprint at `slot` is in bucket `b` if bit `b + slot` is
/// set and `slot` ones are below it. A line that was given more has its last fingerprints elsewhere: where those begin, from the
/// bucket of its last fingerprint on, it cannot say no. Of a line that holds all that it was given the highest bit is set.
enum IdFilterLine {
    static let bytes = 64
    static let capacity = 28
    static let buckets: UInt64 = 32
    static let bucketBits: UInt64 = 5
    static let isComplete: UInt64 = 1 << 63
    /// The word lies behind the fingerprints.
    static let headerOffset = 56

    /// What a line says. Neither is *surely not*.
    struct Answer {
        /// The fingerprint is there.
        let isProbable: Bool
        /// It may have found no room in this line.
        let isElsewhere: Bool
    }

    /// Whether a fingerprint is in a bucket of a line, which lies on a multiple of 64.
    @inline(__always)
    static func ask(_ line: UnsafeRawPointer, bucket: UInt64, _ fingerprint: UInt16) -> Answer {
        let header = UInt64(littleEndian: line.load(fromByteOffset: headerOffset, as: UInt64.self))
        let matches = cintrinsics_match_28_words(line, fingerprint.littleEndian)
        // With a set highest bit the last bucket is beyond all that there are.
        let last = 63 &- header.leadingZeroBitCount &- (capacity &- 1)
        return Answer(
            isProbable: matches != 0 && hasMatch(matches, header, bucket),
            isElsewhere: Int(truncatingIfNeeded: bucket) >= last)
    }

    /// Whether one of the slots in `matches` belongs to the bucket. Once in two thousand lines that are asked for nothing.
    @inline(never)
    private static func hasMatch(_ matches: UInt32, _ header: UInt64, _ bucket: UInt64) -> Bool {
        var rest = matches
        while rest != 0 {
            let slot = rest.trailingZeroBitCount
            let bit = 1 &<< (bucket &+ UInt64(truncatingIfNeeded: slot)) as UInt64
            if header & bit != 0, (header & (bit &- 1)).nonzeroBitCount == slot { return true }
            rest &= rest &- 1
        }
        return false
    }
}

/// Fills lines one after the other with fingerprints in the order of their places, and says which find no room.
struct IdFilterLineWriter {
    private let start: UnsafeMutableRawPointer
    private let count: Int
    /// The line that is being filled, its number, what is in it, and its word so far.
    private var line: UnsafeMutableRawPointer
    private var number = 0
    private var filled = 0
    private var header = IdFilterLine.isComplete

    /// For `count` lines from `start` on, whose bytes are written here for the first time.
    init(_ start: UnsafeMutableRawPointer, count: Int) {
        (self.start, self.count, line) = (start, count, start)
    }

    /// Adds a fingerprint. Places are bucket and line: they must not descend.
    ///
    /// - Returns: whether there was room.
    @inline(__always)
    mutating func add(place: UInt64, _ fingerprint: UInt16) -> Bool {
        let target = Int(truncatingIfNeeded: place &>> IdFilterLine.bucketBits)
        if target != number { begin(target) }
        guard filled < IdFilterLine.capacity else {
            header &= ~IdFilterLine.isComplete
            return false
        }
        header |= 1 &<< ((place & (IdFilterLine.buckets &- 1)) &+ UInt64(truncatingIfNeeded: filled))
        line.storeBytes(of: fingerprint.littleEndian, toByteOffset: filled &* 2, as: UInt16.self)
        filled &+= 1
        return true
    }

    /// Completes all lines up to `target`.
    @inline(never)
    private mutating func begin(_ target: Int) {
        precondition(target > number && target < count, "places out of order")
        while number < target {
            finishLine()
            number += 1
            line += IdFilterLine.bytes
            filled = 0
            header = IdFilterLine.isComplete
        }
    }

    private func finishLine() {
        // What nobody reads is zero, so that a filter is a function of its keys.
        for slot in filled..<IdFilterLine.capacity { line.storeBytes(of: 0, toByteOffset: slot * 2, as: UInt16.self) }
        line.storeBytes(of: header.littleEndian, toByteOffset: IdFilterLine.headerOffset, as: UInt64.self)
    }

    /// Completes all lines.
    mutating func finish() {
        if number < count - 1 { begin(count - 1) }
        finishLine()
    }
}

/// Lines of a filter that is being made, in large pages: a filter is asked at random.
final class IdFilterLines {
    /// The memory of finished lines, which somebody frees.
    struct Storage {
        let start: UnsafeMutableRawPointer
        let count: Int

        init(count: Int) {
            self.count = count
            start = StateMemory.allocate(byteCount: max(count, 1) * IdFilterLine.bytes)
        }

        var bytes: UnsafeMutableRawBufferPointer { .init(start: start, count: count * IdFilterLine.bytes) }

        func free() { StateMemory.free(start, byteCount: max(count, 1) * IdFilterLine.bytes) }
    }

    private var storage: Storage?

    /// Lines with undefined content, on a multiple of 64.
    init(count: Int) { storage = Storage(count: count) }

    /// Copies lines.
    convenience init(_ bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count / IdFilterLine.bytes)
        lines.bytes.copyMemory(from: bytes)
    }

    deinit { storage?.free() }

    /// The lines, as long as this holds them.
    var lines: Storage {
        guard let storage else { preconditionFailure("the lines have gone") }
        return storage
    }

    /// Hands the memory over.
    func release() -> Storage {
        defer { storage = nil }
        return lines
    }
}
