import CChecksum

/// CRC32C of bytes on their way to or from the disk.
enum Checksum {
    /// Continues `seed` (0 to begin) over `bytes`.
    static func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        guerdon_crc32c(seed, bytes.baseAddress, bytes.count)
    }
}

// All integers on disk are little-endian.
extension UnsafeRawBufferPointer {
    func read<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// The bytes `[offset, offset + count)`; traps outside the buffer.
    func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    /// Offset just behind the last byte that is not zero, 0 if all are.
    var endOfNonZero: Int {
        var end = count
        while end >= 8, loadUnaligned(fromByteOffset: end - 8, as: UInt64.self) == 0 { end -= 8 }
        while end > 0, self[end - 1] == 0 { end -= 1 }
        return end
    }
}

extension UnsafeMutableRawBufferPointer {
    func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}

/// Sixteen bytes that name a ledger.
public struct LedgerIdentity: Hashable, Sendable, CustomStringConvertible {
    /// Bytes 0–7, little-endian.
    public var low: UInt64
    /// Bytes 8–15, little-endian.
    public var high: UInt64

    /// Creates an identity from two words.
    public init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    /// 32 hexadecimal digits in the order of the bytes on disk.
    public var description: String { hexadecimal(low.byteSwapped) + hexadecimal(high.byteSwapped) }

    /// What each record carries of the identity.
    var tag: UInt32 {
        withUnsafeTemporaryAllocation(byteCount: 16, alignment: 8) { bytes in
            bytes.write(low, at: 0)
            bytes.write(high, at: 8)
            return Checksum.crc32c(UnsafeRawBufferPointer(bytes))
        }
    }
}

/// A word as 16 hexadecimal digits.
func hexadecimal(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A number as 20 decimal digits, so that names sort as numbers.
func decimalName(_ number: UInt64) -> String {
    let digits = String(number)
    return String(repeating: "0", count: 20 - digits.count) + digits
}

/// The number in a name made of ``decimalName(_:)`` and `suffix`.
func number(inName name: String, suffix: String) -> UInt64? {
    guard name.utf8.count == 20 + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
    return UInt64(name.prefix(20))
}
