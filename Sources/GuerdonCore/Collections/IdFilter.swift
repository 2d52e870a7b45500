/// Says of a fixed set of keys that a key is *surely not* or *probably* in it, at 2.5 bytes a key and one error in 65,000.
///
/// A prefix filter (Even, Even and Morrison 2022): the leading bits of a key choose a line of 64 bytes, for which there are 28
/// keys on average, and one of its 32 buckets; there a fingerprint of 16 other bits is kept. See `IdFilterLine`. One key
/// in thirteen finds its line full and goes to *spare* lines, which are chosen by its other bits: every 2,048 lines have some of
/// their own, in levels, each for what the one before had no room for. So building needs little memory, keys arrive
/// in ascending order as a sorted run holds them, and asking for a key touches one line, seldom two.
///
/// The result is a function of the keys alone. A handle; the owner calls `deallocate()`.
public struct IdFilter: @unchecked Sendable {
    // Sendable because nothing is written after `init`.
    private let header: UnsafeMutablePointer<Header>

    private struct Header {
        var layout: Layout
        var count: Int
        var groupCount: Int
        var lines: IdFilterLines.Storage
        var spares: IdFilterLines.Storage
    }

    /// What a search needs.
    struct Layout: BitwiseCopyable {
        /// The first of the lines that leading bits choose, and 32 times their number.
        var lines: UnsafeRawPointer
        var places: UInt64
        /// The first of the spare lines, and where each group has its own.
        var spares: UnsafeRawPointer
        var groups: UnsafePointer<Group>

        /// Line and bucket of a key, together one number.
        @inline(__always)
        func place(_ key: HashedKey) -> UInt64 { key.place(among: places) }

        @inline(__always)
        func line(_ place: UInt64) -> UnsafeRawPointer {
            lines + Int(truncatingIfNeeded: place &>> IdFilterLine.bucketBits) &* IdFilterLine.bytes
        }

        /// Starts loading the line of a key.
        @inline(__always)
        func prefetch(_ key: HashedKey) { prefetchLine(line(place(key))) }

        /// What the line of a key says.
        @inline(__always)
        func ask(_ key: HashedKey) -> IdFilterLine.Answer {
            let place = place(key)
            return IdFilterLine.ask(line(place), bucket: place & (IdFilterLine.buckets &- 1), key.fingerprint)
        }

        /// Whether the key may be in the set.
        func mayContain(_ key: HashedKey) -> Bool {
            let answer = ask(key)
            return answer.isProbable || answer.isElsewhere && isSpare(key)
        }

        @inline(__always)
        private func group(_ key: HashedKey) -> UnsafePointer<Group> {
            groups + Int(truncatingIfNeeded: place(key) &>> (IdFilterLine.bucketBits &+ Group.lineBits))
        }

        @inline(__always)
        private func spareLine(_ first: UInt32, _ place: UInt64) -> UnsafeRawPointer {
            spares + (Int(first) &+ Int(truncatingIfNeeded: place &>> IdFilterLine.bucketBits)) &* IdFilterLine.bytes
        }

        /// Starts loading the first spare line of a key.
        @inline(__always)
        func prefetchSpare(_ key: HashedKey) {
            let group = group(key)
            prefetchLine(
                spareLine(group.pointee.start, Group.place(key.low, level: 0, lines: group.pointee.lines[0])))
        }

        /// Asks the spare lines of a key that found no room in its own, level by level.
        func isSpare(_ key: HashedKey) -> Bool {
            let group = group(key)
            var first = group.pointee.start
            for level in 0..<Group.levels {
                let count = group.pointee.lines[level]
                if count == 0 { break }
                let place = Group.place(key.low, level: level, lines: count)
                let answer = IdFilterLine.ask(
                    spareLine(first, place), bucket: place & (IdFilterLine.buckets &- 1), key.fingerprint)
                if answer.isProbable { return true }
                if !answer.isElsewhere { return false }
                first &+= UInt32(count)
            }
            // Of keys that are alike even the last level had too many: taking all to be in is slow but never wrong.
            return true
        }
    }

    /// The spare lines of 2,048 lines.
    struct Group: Equatable, BitwiseCopyable {
        /// The first one's number.
        var start: UInt32 = 0
        /// How many there are of each level; none behind the last.
        var lines = [6 of UInt16](repeating: 0)

        static let lineBits: UInt64 = 11
        static let lineCount = 1 << Int(lineBits)
        static let levels = 6
        /// Keys that a spare line is meant for.
        static let load = 24

        /// All levels.
        var count: Int { lines.indices.reduce(0) { $0 + Int(lines[$1]) } }

        static func == (a: Self, b: Self) -> Bool {
            a.start == b.start && a.lines.indices.allSatisfy { a.lines[$0] == b.lines[$0] }
        }

        /// Bucket and line among `lines` of a level; another hash for each level.
        @inline(__always)
        static func place(_ low: UInt64, level: Int, lines: UInt16) -> UInt64 {
            let hash = (low ^ low &>> 32) &* (0x9e37_79b9_7f4a_7c15 &+ UInt64(level) &* 0x5851_f42d_4c95_7f2e)
            return hash.multipliedFullWidth(by: UInt64(lines) &* IdFilterLine.buckets).high
        }
    }

    /// A key, cut up as all filters need it.
    struct HashedKey: BitwiseCopyable {
        /// The 48 leading bits, and zeros.
        let leading: UInt64
        let low: UInt64

        @inline(__always)
        init(_ key: ExternalIdKey) {
            leading = key.high &<< 16
            low = key.low
        }

        @inline(__always)
        var fingerprint: UInt16 { UInt16(truncatingIfNeeded: low) }

        /// Line and bucket, together one number; ascends with the key.
        @inline(__always)
        func place(among places: UInt64) -> UInt64 { leading.multipliedFullWidth(by: places).high }
    }

    /// Takes the lines over; they hold nothing afterwards.
    init(count: Int, groups: [Group], lines: IdFilterLines, spares: IdFilterLines) {
        let room = StateMemory.allocate(Group.self, count: groups.count)
        for (index, group) in groups.enumerated() { (room + index).initialize(to: group) }
        let (lines, spares) = (lines.release(), spares.release())
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                layout: Layout(
                    lines: UnsafeRawPointer(lines.start), places: UInt64(lines.count) * IdFilterLine.buckets,
                    spares: UnsafeRawPointer(spares.start), groups: UnsafePointer(room)),
                count: count, groupCount: groups.count, lines: lines, spares: spares))
    }

    @inline(__always)
    var layout: Layout { header.pointee.layout }

    /// The number of keys in the set.
    public var count: Int { header.pointee.count }

    /// Bytes of memory in use.
    public var storageBytes: Int {
        header.pointee.lines.bytes.count + header.pointee.spares.bytes.count
            + header.pointee.groupCount * MemoryLayout<Group>.stride
    }

    /// Whether the key may be in the set; true for every key that is.
    @inline(__always)
    public func mayContain(_ key: ExternalIdKey) -> Bool { layout.mayContain(HashedKey(key)) }

    /// Frees the memory.
    public func deallocate() {
        let groups = UnsafeMutablePointer(mutating: header.pointee.layout.groups)
        StateMemory.free(groups, count: header.pointee.groupCount)
        header.pointee.lines.free()
        header.pointee.spares.free()
        header.deallocate()
    }

    /// Lines that leading bits choose, for `count` keys. An empty filter has one, too, so that it can be asked.
    static func lineCount(_ count: Int) -> Int { max((count + IdFilterLine.capacity - 1) / IdFilterLine.capacity, 1) }

    /// Groups of spare lines for `count` keys.
    static func groupCount(_ count: Int) -> Int { (lineCount(count) + Group.lineCount - 1) >> Int(Group.lineBits) }
}

extension IdFilter {
    /// The filter as bytes, least significant first: count (8), spare lines (4), zero (4), then 16 bytes a group (the number of
    /// its first spare line, 4, and six levels, 2 each) and 64 a line. In pieces, because a filter may be large.
    func encode(_ emit: (UnsafeRawBufferPointer) -> Void) {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(count))
        bytes.appendLittleEndian(UInt32(header.pointee.spares.count))
        bytes.appendLittleEndian(UInt32(0))
        for index in 0..<header.pointee.groupCount {
            let group = layout.groups[index]
            bytes.appendLittleEndian(group.start)
            for level in group.lines.indices { bytes.appendLittleEndian(group.lines[level]) }
        }
        bytes.withUnsafeBytes(emit)
        // Lines are in memory as they are in a file.
        for lines in [header.pointee.lines.bytes, header.pointee.spares.bytes] {
            let piece = 64 << 10
            for start in stride(from: 0, to: lines.count, by: piece) {
                emit(UnsafeRawBufferPointer(rebasing: lines[start..<min(start + piece, lines.count)]))
            }
        }
    }

    /// Reads what `encode(_:)` wrote, or nil if it cannot be that. Damage inside lines is for a checksum to find.
    public init?(decoding bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 16 else { return nil }
        let count = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let spares = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        guard count <= 1 << 40, bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self) == 0 else { return nil }
        let (groupCount, lineCount) = (Self.groupCount(Int(count)), Self.lineCount(Int(count)))
        let linesStart = 16 + groupCount * 16
        let sparesStart = linesStart + lineCount * IdFilterLine.bytes
        guard bytes.count == sparesStart + spares * IdFilterLine.bytes else { return nil }
        var groups: [Group] = []
        var end = 0
        for index in 0..<groupCount {
            let offset = 16 + index * 16
            var group = Group(
                start: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            for level in group.lines.indices {
                group.lines[level] = UInt16(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4 + level * 2, as: UInt16.self))
            }
            guard Int(group.start) == end else { return nil }
            end += group.count
            groups.append(group)
        }
        guard end == spares else { return nil }
        self.init(
            count: Int(count), groups: groups,
            lines: IdFilterLines(UnsafeRawBufferPointer(rebasing: bytes[linesStart..<sparesStart])),
            spares: IdFilterLines(UnsafeRawBufferPointer(rebasing: bytes[sparesStart...])))
    }
}

extension [UInt8] {
    mutating func appendLittleEndian<Word: FixedWidthInteger>(_ word: Word) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }
}
