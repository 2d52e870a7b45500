/// A growable run of bytes: a handle that is copied freely while its owner calls ``deallocate()`` once.
///
/// The bodies of batches and the reply buffers are built in sinks that are reused, so that a busy engine allocates nothing.
@safe public struct ByteSink: @unchecked Sendable {
    // Sendable: one thread writes at a time; a batch is handed on as a whole.
    @usableFromInline struct Header {
        @usableFromInline var base: UnsafeMutableRawPointer
        @usableFromInline var count: Int
        @usableFromInline var capacity: Int

        @usableFromInline init(base: UnsafeMutableRawPointer, count: Int, capacity: Int) {
            self.base = base
            self.count = count
            self.capacity = capacity
        }
    }
    @usableFromInline let header: UnsafeMutablePointer<Header>

    /// An empty sink with room for `capacity` bytes.
    public init(capacity: Int = 4096) {
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(base: .allocate(byteCount: capacity, alignment: 16), count: 0, capacity: capacity))
    }

    /// Frees the memory; no copy of the handle may be used afterwards.
    public func deallocate() {
        header.pointee.base.deallocate()
        header.deallocate()
    }

    /// Bytes written.
    @inlinable public var count: Int { header.pointee.count }
    /// The bytes written; valid until the next write.
    @inlinable public var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: header.pointee.base, count: header.pointee.count)
    }

    /// Forgets the bytes, keeps the memory.
    @inlinable public func removeAll() { header.pointee.count = 0 }

    @usableFromInline @inline(never) func grow(_ extra: Int) {
        let capacity = max(header.pointee.capacity * 2, header.pointee.count + extra)
        let base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        base.copyMemory(from: header.pointee.base, byteCount: header.pointee.count)
        header.pointee.base.deallocate()
        header.pointee.base = base
        header.pointee.capacity = capacity
    }

    /// Makes room for `extra` bytes and returns where they go; ``advance(_:)`` then says how many were written.
    @inlinable @inline(__always) public func reserve(_ extra: Int) -> UnsafeMutableRawPointer {
        if header.pointee.capacity - header.pointee.count < extra { grow(extra) }
        return header.pointee.base + header.pointee.count
    }
    /// Counts bytes written behind the end, at most what was reserved.
    @inlinable @inline(__always) public func advance(_ written: Int) {
        header.pointee.count += written
        precondition(header.pointee.count <= header.pointee.capacity)
    }

    /// Appends one byte.
    @inlinable @inline(__always) public func write(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, as: UInt8.self)
        header.pointee.count += 1
    }
    /// Appends bytes.
    @inlinable @inline(__always) public func write(_ bytes: UnsafeRawBufferPointer) {
        guard let from = bytes.baseAddress else { return }
        reserve(bytes.count).copyMemory(from: from, byteCount: bytes.count)
        header.pointee.count += bytes.count
    }
    /// Appends bytes.
    public func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }

    /// Appends an unsigned number, seven bits a byte, lowest first.
    @inlinable @inline(__always) public func writeVarint(_ value: UInt64) {
        let out = reserve(10)
        var rest = value
        var n = 0
        while rest >= 0x80 {
            out.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: n, as: UInt8.self)
            rest >>= 7
            n += 1
        }
        out.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: n, as: UInt8.self)
        header.pointee.count += n + 1
    }
    /// Appends a signed number, small magnitudes short.
    @inlinable @inline(__always) public func writeSigned(_ value: Int64) {
        writeVarint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }
    /// Appends a length-prefixed text.
    public func write(_ text: Text) {
        writeVarint(UInt64(text.count))
        write(text.bytes)
    }
}

/// Thrown when bytes are not what they should be: damage that the checksums did not see, or a newer format.
public struct MalformedBytes: Error, Equatable, Sendable {
    /// Where in the run of bytes.
    public var offset: Int
}

/// Reads what a ``ByteSink`` wrote; never reads out of bounds, never traps on bad bytes.
@safe public struct ByteSource {
    public let bytes: UnsafeRawBufferPointer
    public var position: Int

    public init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// Whether all was read.
    public var isAtEnd: Bool { position >= bytes.count }
    private var malformed: MalformedBytes { MalformedBytes(offset: position) }

    @inline(__always) public mutating func byte() throws(MalformedBytes) -> UInt8 {
        guard position < bytes.count else { throw malformed }
        defer { position += 1 }
        return bytes[position]
    }
    @inline(__always) public mutating func varint() throws(MalformedBytes) -> UInt64 {
        let first = try byte()
        if first < 0x80 { return UInt64(first) }
        return try longVarint(first)
    }

    /// Two to eight bytes at once where so many are left: without a jump for each that depends on the value.
    @inline(__always) private mutating func longVarint(_ first: UInt8) throws(MalformedBytes) -> UInt64 {
        let start = position - 1
        guard bytes.count - start >= 8 else { return try slowVarint(first) }
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        let ends = ~word & 0x8080_8080_8080_8080
        guard ends != 0 else { return try slowVarint(first) }
        // The bits up to the first byte that ends it, seven of each byte.
        let used = word & (ends ^ (ends &- 1))
        position = start + (ends.trailingZeroBitCount &>> 3) + 1
        var value = used & 0x7f7f_7f7f_7f7f_7f7f
        value = (value & 0x007f_007f_007f_007f) | (value & 0x7f00_7f00_7f00_7f00) &>> 1
        value = (value & 0x0000_3fff_0000_3fff) | (value & 0x3fff_0000_3fff_0000) &>> 2
        return (value & 0x0fff_ffff) | (value &>> 32) &<< 28
    }

    @inline(never) private mutating func slowVarint(_ first: UInt8) throws(MalformedBytes) -> UInt64 {
        var value = UInt64(first & 0x7f)
        var shift: UInt64 = 7
        while true {
            let b = try byte()
            guard shift < 64 else { throw malformed }
            value |= UInt64(b & 0x7f) << shift
            if b < 0x80 { return value }
            shift += 7
        }
    }
    @inline(__always) public mutating func signed() throws(MalformedBytes) -> Int64 {
        let v = try varint()
        return Int64(bitPattern: v >> 1) ^ -Int64(bitPattern: v & 1)
    }
    /// A count or length that cannot exceed the bytes that are left.
    @inline(__always) public mutating func length() throws(MalformedBytes) -> Int {
        let n = try varint()
        guard n <= UInt64(bytes.count - position) else { throw malformed }
        return Int(n)
    }
    /// A length-prefixed run, in place.
    @inline(__always) public mutating func run() throws(MalformedBytes) -> UnsafeRawBufferPointer {
        let n = try length()
        defer { position += n }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + n])
    }
    public mutating func text() throws(MalformedBytes) -> Text { Text(copying: try run()) }
    public mutating func code<T: RawRepresentable>(_ type: T.Type) throws(MalformedBytes) -> T
    where T.RawValue == UInt8 {
        guard let value = T(rawValue: try byte()) else { throw malformed }
        return value
    }
    public mutating func bool() throws(MalformedBytes) -> Bool { try byte() != 0 }
    /// `present` byte and value.
    public mutating func optional<T>(
        _ read: (inout ByteSource) throws(MalformedBytes) -> T
    ) throws(MalformedBytes) -> T? {
        try bool() ? try read(&self) : nil
    }
    public mutating func array<T>(
        _ read: (inout ByteSource) throws(MalformedBytes) -> T
    ) throws(MalformedBytes) -> [T] {
        let n = try length()
        var result: [T] = []
        result.reserveCapacity(min(n, 1024))
        for _ in 0..<n { result.append(try read(&self)) }
        return result
    }
    public mutating func change<T>(
        _ read: (inout ByteSource) throws(MalformedBytes) -> T
    ) throws(MalformedBytes) -> Change<T> {
        switch try byte() {
        case 0: return .keep
        case 1: return .clear
        case 2: return .set(try read(&self))
        default: throw malformed
        }
    }
    public mutating func decimal() throws(MalformedBytes) -> DecimalNumber {
        let coefficient = try signed()
        let scale = try byte()
        guard scale <= UInt8(Limits.decimalScale) else { throw malformed }
        return DecimalNumber(coefficient: coefficient, scale: scale)
    }
}

extension ByteSink {
    func write(_ value: Bool) { write(value ? 1 as UInt8 : 0) }
    func write(_ value: DecimalNumber) {
        writeSigned(value.coefficient)
        write(value.scale)
    }
    func write<T>(_ value: T?, _ body: (T) -> Void) {
        write(value != nil)
        if let value { body(value) }
    }
    func write<T>(_ values: [T], _ body: (T) -> Void) {
        writeVarint(UInt64(values.count))
        for value in values { body(value) }
    }
    func write<T>(_ change: Change<T>, _ body: (T) -> Void) {
        switch change {
        case .keep: write(0 as UInt8)
        case .clear: write(1 as UInt8)
        case .set(let value):
            write(2 as UInt8)
            body(value)
        }
    }
}
