/// Says of a fixed set of keys that a key is *surely not* or *probably* in it, at 2.4 bytes a key and one error in 65,000.
///
/// A binary fuse filter of 16-bit fingerprints (Graf and Lemire 2022): a key is in if the fingerprints at its three
/// places xor to its own. The set is cut by the leading bits of the keys into partitions of about 65,000, each a filter of
/// its own, so building needs two megabytes at a time, and keys arrive in ascending order as a sorted run holds them.
///
/// The result is a function of the keys alone. A handle; the owner calls `deallocate()`.
public struct IdFilter: @unchecked Sendable {
    // Sendable because nothing is written after `init`.
    private let header: UnsafeMutablePointer<Header>

    private struct Header {
        var count: Int
        var partitionCount: Int
        var partitions: UnsafeMutablePointer<Partition>
        var fingerprintCount: Int
        var fingerprints: Fingerprints.Storage
    }

    /// Where the filter of one partition lies and how its places are found.
    struct Partition: Equatable {
        var start: UInt32
        var seed: UInt8
        var segmentShift: UInt8
        /// Segments a key may begin in. None at all: every key is taken to be in.
        var segmentCount: UInt16

        /// Fingerprints of the partition: a key also uses the two segments behind the one it begins in.
        var length: Int { segmentCount == 0 ? 0 : (Int(segmentCount) + 2) << Int(segmentShift) }
    }

    static let partitionKeys = 65_536

    /// Takes the fingerprints over; they hold nothing afterwards.
    init(count: Int, partitions: [Partition], fingerprints: Fingerprints) {
        let partitionStorage = StateMemory.allocate(Partition.self, count: partitions.count)
        for (index, partition) in partitions.enumerated() { (partitionStorage + index).initialize(to: partition) }
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                count: count, partitionCount: partitions.count, partitions: partitionStorage,
                fingerprintCount: fingerprints.count, fingerprints: fingerprints.release()))
    }

    /// The partitions, their number, and where the fingerprints begin.
    @inline(__always)
    var layout: (partitions: UnsafePointer<Partition>, count: Int, fingerprints: UnsafePointer<UInt16>) {
        (
            UnsafePointer(header.pointee.partitions), header.pointee.partitionCount,
            UnsafePointer(header.pointee.fingerprints.start)
        )
    }

    /// The number of keys in the set.
    public var count: Int { header.pointee.count }

    /// Bytes of memory in use.
    public var storageBytes: Int {
        header.pointee.fingerprints.capacity * 2 + header.pointee.partitionCount * MemoryLayout<Partition>.stride
    }

    /// Whether the key may be in the set; true for every key that is.
    @inline(__always)
    public func mayContain(_ key: ExternalIdKey) -> Bool {
        guard header.pointee.count > 0 else { return false }
        let partition = header.pointee.partitions[Self.partition(of: key, count: header.pointee.partitionCount)]
        guard partition.segmentCount > 0 else { return true }
        let places = Places(key, partition)
        let base = header.pointee.fingerprints.start + Int(partition.start)
        return base[places.first] ^ base[places.second] ^ base[places.third] == places.fingerprint
    }

    /// Starts loading the three places of the key.
    @inline(__always)
    public func prefetch(_ key: ExternalIdKey) {
        guard header.pointee.count > 0 else { return }
        let partition = header.pointee.partitions[Self.partition(of: key, count: header.pointee.partitionCount)]
        guard partition.segmentCount > 0 else { return }
        let places = Places(key, partition)
        let base = header.pointee.fingerprints.start + Int(partition.start)
        prefetchLine(base + places.first)
        prefetchLine(base + places.second)
        prefetchLine(base + places.third)
    }

    /// Frees the memory.
    public func deallocate() {
        StateMemory.free(header.pointee.partitions, count: header.pointee.partitionCount)
        header.pointee.fingerprints.free()
        header.deallocate()
    }

    /// Partitions for `count` keys.
    static func partitionCount(_ count: Int) -> Int { (count + partitionKeys - 1) / partitionKeys }

    /// Ascends with the key.
    @inline(__always)
    static func partition(of key: ExternalIdKey, count: Int) -> Int {
        Int(truncatingIfNeeded: ((key.high &>> 16) &* UInt64(truncatingIfNeeded: count)) &>> 32)
    }

    /// The three places and the fingerprint of a key.
    struct Places {
        var first: Int
        var second: Int
        var third: Int
        var fingerprint: UInt16

        @inline(__always)
        init(_ key: ExternalIdKey, _ partition: Partition) {
            self.init(hash: Self.hash(key, seed: partition.seed), partition)
        }

        @inline(__always)
        init(hash: UInt64, _ partition: Partition) {
            let shift = UInt64(partition.segmentShift)
            let mask = (1 &<< shift) &- 1 as UInt64
            let span = UInt64(partition.segmentCount) &<< shift
            let start = hash.multipliedFullWidth(by: span).high
            first = Int(truncatingIfNeeded: start)
            second = Int(truncatingIfNeeded: (start &+ (1 &<< shift)) ^ (hash &>> 18 & mask))
            third = Int(truncatingIfNeeded: (start &+ (2 &<< shift)) ^ (hash & mask))
            fingerprint = UInt16(truncatingIfNeeded: hash ^ hash &>> 32)
        }

        @inline(__always)
        func forEach(_ body: (Int) -> Void) {
            body(first)
            body(second)
            body(third)
        }

        /// Another seed gives other places, for when a set of keys cannot be solved.
        @inline(__always)
        static func hash(_ key: ExternalIdKey, seed: UInt8) -> UInt64 {
            var z = key.low &+ UInt64(seed) &* 0x9e37_79b9_7f4a_7c15
            z = (z ^ z &>> 32) &* 0x9e6c_63d0_876a_68ab
            return z ^ z &>> 29
        }
    }
}

extension IdFilter {
    /// The filter as bytes, least significant first: count (8), partitions (4), fingerprints (4), then 8 bytes a
    /// partition and 2 a fingerprint. In pieces, because a filter may be large.
    func encode(_ emit: (UnsafeRawBufferPointer) -> Void) {
        var bytes: [UInt8] = []
        bytes.appendLittleEndian(UInt64(header.pointee.count))
        bytes.appendLittleEndian(UInt32(header.pointee.partitionCount))
        bytes.appendLittleEndian(UInt32(header.pointee.fingerprintCount))
        for index in 0..<header.pointee.partitionCount {
            let partition = header.pointee.partitions[index]
            bytes.appendLittleEndian(partition.start)
            bytes.append(partition.seed)
            bytes.append(partition.segmentShift)
            bytes.appendLittleEndian(partition.segmentCount)
        }
        bytes.withUnsafeBytes(emit)
        let piece = 32 << 10
        for start in stride(from: 0, to: header.pointee.fingerprintCount, by: piece) {
            bytes.removeAll(keepingCapacity: true)
            for index in start..<min(start + piece, header.pointee.fingerprintCount) {
                bytes.appendLittleEndian(header.pointee.fingerprints.start[index])
            }
            bytes.withUnsafeBytes(emit)
        }
    }

    /// Reads what `encode(_:)` wrote, or nil if it cannot be that. Damage inside fingerprints is for a checksum to find.
    public init?(decoding bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 16 else { return nil }
        let count = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        let partitionCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
        let fingerprintCount = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        guard count <= 1 << 40, Self.partitionCount(Int(count)) == partitionCount,
            bytes.count == 16 + partitionCount * 8 + fingerprintCount * 2
        else { return nil }
        var partitions: [Partition] = []
        var end = 0
        for index in 0..<partitionCount {
            let offset = 16 + index * 8
            let partition = Partition(
                start: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)),
                seed: bytes[offset + 4], segmentShift: bytes[offset + 5],
                segmentCount: UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 6, as: UInt16.self)))
            guard partition.segmentShift <= 16, Int(partition.start) == end else { return nil }
            end += partition.length
            partitions.append(partition)
        }
        guard end == fingerprintCount else { return nil }
        let start = 16 + partitionCount * 8
        let fingerprints = Fingerprints(capacity: fingerprintCount)
        for index in 0..<fingerprintCount {
            fingerprints.append(
                UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: start + index * 2, as: UInt16.self)))
        }
        self.init(count: Int(count), partitions: partitions, fingerprints: fingerprints)
    }
}

extension [UInt8] {
    mutating func appendLittleEndian<Word: FixedWidthInteger>(_ word: Word) {
        Swift.withUnsafeBytes(of: word.littleEndian) { append(contentsOf: $0) }
    }
}
