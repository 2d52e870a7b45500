import Glibc

/// Writes the bytes of lines one behind the other into memory that it owns.
///
/// The generator makes millions of lines a second, so this knows only two things: literal text and digits.
struct LineWriter: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    /// Bytes written so far.
    private(set) var count = 0

    /// Reserves memory for at most so many bytes.
    init(capacity: Int) {
        base = .allocate(capacity: capacity)
        base.initialize(repeating: 0, count: capacity)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    /// How many bytes still fit.
    var room: Int { capacity - count }

    /// What was written from an offset on; valid only inside `body`.
    borrowing func withBytes<Result>(from offset: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: base + offset, count: count - offset))
    }

    mutating func removeAll() { count = 0 }

    @inline(__always)
    mutating func text(_ literal: StaticString) {
        let length = literal.utf8CodeUnitCount
        precondition(length <= room)
        memcpy(base + count, literal.utf8Start, length)
        count += length
    }

    /// Writes a number without leading zeros.
    @inline(__always)
    mutating func number(_ value: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while value >= bound, digits < 19 {
            bound *= 10
            digits += 1
        }
        number(value, digits: value >= bound ? digits + 1 : digits)
    }

    /// Writes the last `digits` digits of a number.
    @inline(__always)
    mutating func number(_ value: UInt64, digits: Int) {
        precondition(digits <= room)
        var rest = value
        var position = count + digits
        while position > count {
            position -= 1
            base[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }
}
