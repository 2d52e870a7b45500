/// Variable-length integers, seven bits a byte, lowest first; small numbers take one byte.
enum Varint {
    /// Bytes of the longest 64-bit number.
    static let longest = 10

    /// Writes `value` and returns the place behind it; the caller has made room.
    @inline(__always)
    static func write(_ value: UInt64, at place: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var value = value
        var place = place
        while value >= 0x80 {
            place.pointee = UInt8(truncatingIfNeeded: value) | 0x80
            place += 1
            value >>= 7
        }
        place.pointee = UInt8(truncatingIfNeeded: value)
        return place + 1
    }

    /// Reads a number at `offset` and moves it on; `nil` if the bytes end or exceed 64 bits.
    @inline(__always)
    static func read(_ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { return nil }
        }
        return nil
    }

    /// Small numbers of either sign become small numbers.
    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    @inline(__always)
    static func unzigzag(_ value: UInt64) -> Int64 { Int64(bitPattern: (value >> 1) ^ (0 &- (value & 1))) }
}
