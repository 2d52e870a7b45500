import GuerdonCore

/// Postings lent for the length of a call.
// Unchecked: read under the history's lock and never kept, which the compiler cannot see of a pointer.
struct PostingRun: @unchecked Sendable {
    private let buffer: UnsafeBufferPointer<Posting>

    init(_ buffer: UnsafeBufferPointer<Posting>) { self.buffer = buffer }

    var count: Int { buffer.count }
    subscript(index: Int) -> Posting { buffer[index] }
}

/// A block that is being filled: postings as a few bytes each, in memory until it is closed.
///
/// A posting is: shape number · advance of the sequence · distance to the wallet's previous posting (0: none) · amount ·
/// member, each a ``Varint``. A shape number that is new is followed by the shape itself.
struct OpenBlock: ~Copyable {
    /// Shapes after which a block is closed; the table stays less than half full.
    private static let shapesMost = 400
    private static let slots = 1024
    /// More than the longest posting with a new shape.
    private static let largestPosting = 8 * Varint.longest

    /// Room for the block's header, and behind it what is filled: one write takes both to the disk.
    private var whole: UnsafeMutablePointer<UInt8>
    private var bytes: UnsafeMutablePointer<UInt8> { whole + HistoryBlockHeader.size }
    /// Bytes behind the header's room.
    private var capacity: Int
    private(set) var count: UInt32 = 0
    private(set) var length = 0
    private(set) var first: UInt64 = 0
    private(set) var last: UInt64 = 0
    private var shapes = 0
    private let shapeKeys: UnsafeMutablePointer<PostingShape>
    /// Number of the shape in the slot plus one; 0 is free.
    private let shapeNumbers: UnsafeMutablePointer<UInt16>

    init() {
        capacity = StoreLimits.historyBlock + 4096
        whole = .allocate(capacity: HistoryBlockHeader.size + capacity)
        shapeKeys = .allocate(capacity: OpenBlock.slots)
        shapeKeys.initialize(repeating: PostingShape(origin: 0, detail: 0), count: OpenBlock.slots)
        shapeNumbers = .allocate(capacity: OpenBlock.slots)
        shapeNumbers.initialize(repeating: 0, count: OpenBlock.slots)
    }

    deinit {
        whole.deallocate()
        shapeKeys.deallocate()
        shapeNumbers.deallocate()
    }

    var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: length) }

    /// Puts the header in front and zeros behind, up to a multiple of 8: ``framed`` is what goes to the disk.
    mutating func frame(_ header: HistoryBlockHeader) {
        header.encode(to: UnsafeMutableRawBufferPointer(start: whole, count: HistoryBlockHeader.size))
        (bytes + length).update(repeating: 0, count: RecordHeader.padded(length) - length)
    }

    /// The block with header and padding, after ``frame(_:)``.
    var framed: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: whole, count: HistoryBlockHeader.size + RecordHeader.padded(length))
    }

    mutating func removeAll() {
        count = 0
        length = 0
        shapes = 0
        shapeNumbers.update(repeating: 0, count: OpenBlock.slots)
    }

    /// Adds postings from `start` on until all are in or a command begins that the next block must take.
    ///
    /// - Returns: index of the first posting that is not in.
    mutating func append(_ postings: PostingRun, from start: Int) -> Int {
        var index = start
        var sequence = last
        if count == 0, index < postings.count {
            first = postings[index].sequence
            sequence = first
        }
        // Kept in registers: the lock's state is memory that the compiler must otherwise write at every step.
        var place = bytes + length
        var limit = bytes + (capacity - OpenBlock.largestPosting)
        let full = StoreLimits.historyBlock
        while index < postings.count {
            let next = postings[index].sequence
            if next != sequence {
                precondition(next > sequence, "postings come in order of sequence")
                if place - bytes >= full || shapes >= OpenBlock.shapesMost { break }
            }
            if place > limit {
                length = place - bytes
                grow()
                place = bytes + length
                limit = bytes + (capacity - OpenBlock.largestPosting)
            }
            let previous = postings[index].previous
            precondition(previous <= next, "a wallet's previous posting is not in the future")
            place = encodeShape(postings[index].shape, at: place)
            place = Varint.write(next &- sequence, at: place)
            place = Varint.write(previous == 0 ? 0 : next &- previous &+ 1, at: place)
            place = Varint.write(Varint.zigzag(postings[index].amount), at: place)
            place = Varint.write(UInt64(postings[index].member), at: place)
            sequence = next
            index += 1
        }
        count += UInt32(index - start)
        last = sequence
        length = place - bytes
        return index
    }

    @inline(__always)
    private mutating func encodeShape(
        _ shape: PostingShape, at place: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var slot = Int((((shape.origin &* 31) ^ shape.detail) &* 0x9E37_79B9_7F4A_7C15) >> 54)
        while shapeNumbers[slot] != 0 {
            if shapeKeys[slot] == shape { return Varint.write(UInt64(shapeNumbers[slot] - 1), at: place) }
            slot = (slot + 1) & (OpenBlock.slots - 1)
        }
        precondition(Posting.Kind(rawValue: shape.kindCode) != nil)
        let number = shapes
        // One command may use very many shapes; those beyond the table are spelled out every time.
        if number < OpenBlock.slots / 2 {
            shapeKeys[slot] = shape
            shapeNumbers[slot] = UInt16(number + 1)
        }
        shapes += 1
        var place = Varint.write(UInt64(number), at: place)
        // The most frequent plan, none, is the largest number: shifted round to 0.
        let plan = UInt32(truncatingIfNeeded: shape.origin) &+ 1
        place = Varint.write(UInt64(plan), at: place)
        place = Varint.write(shape.origin >> 32, at: place)
        return Varint.write(shape.detail, at: place)
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: HistoryBlockHeader.size + capacity * 2)
        larger.update(from: whole, count: HistoryBlockHeader.size + length)
        whole.deallocate()
        whole = larger
        capacity *= 2
    }
}

/// Turns a block's bytes back into postings.
enum PostingBlock {
    /// All postings of a block, or `nil` if the bytes are not such a block.
    static func decode(_ bytes: UnsafeRawBufferPointer, first: UInt64, count: UInt32) -> [Posting]? {
        // No posting takes fewer than five bytes: a bound for what is reserved.
        guard Int(count) <= bytes.count / 5 else { return nil }
        var postings: [Posting] = []
        postings.reserveCapacity(Int(count))
        var shapes: [PostingShape] = []
        var offset = 0
        var sequence = first
        for _ in 0..<count {
            guard let number = Varint.read(bytes, &offset), number <= UInt64(shapes.count) else { return nil }
            if number == UInt64(shapes.count) {
                guard let plan = Varint.read(bytes, &offset), plan <= UInt64(UInt32.max),
                    let place = Varint.read(bytes, &offset), place <= UInt64(UInt32.max),
                    let detail = Varint.read(bytes, &offset)
                else { return nil }
                let shape = PostingShape(origin: UInt64(UInt32(plan) &- 1) | place << 32, detail: detail)
                guard detail >> 48 == 0, Posting.Kind(rawValue: shape.kindCode) != nil else { return nil }
                shapes.append(shape)
            }
            guard let advance = Varint.read(bytes, &offset), let distance = Varint.read(bytes, &offset),
                let amount = Varint.read(bytes, &offset), let member = Varint.read(bytes, &offset),
                member <= UInt64(UInt32.max), case let (next, overflow) = sequence.addingReportingOverflow(advance),
                !overflow, distance <= next
            else { return nil }
            sequence = next
            postings.append(
                Posting(
                    sequence: next, previous: distance == 0 ? 0 : next - distance + 1,
                    amount: Varint.unzigzag(amount), member: UInt32(member), shape: shapes[Int(number)]))
        }
        return offset == bytes.count ? postings : nil
    }
}
