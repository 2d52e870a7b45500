/// A string that is compared, ordered and hashed by its UTF-8 bytes.
///
/// Swift's `String` compares by Unicode canonical equivalence, so two ids that differ in bytes could be one key; here they
/// never are.
public struct Text: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The UTF-8 bytes.
    public var bytes: [UInt8]

    /// Wraps bytes that are known to be valid UTF-8.
    public init(bytes: [UInt8]) { self.bytes = bytes }
    /// Copies bytes that are known to be valid UTF-8.
    public init(copying bytes: UnsafeRawBufferPointer) { self.bytes = Array(bytes) }
    /// Takes a string's bytes as they are.
    public init(_ string: String) { self.bytes = Array(string.utf8) }
    /// Takes a literal's bytes.
    public init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }

    /// The text as a Swift string.
    public var string: String { String(decoding: bytes, as: UTF8.self) }
    /// The text as a Swift string.
    public var description: String { string }
    /// Whether there are no bytes.
    public var isEmpty: Bool { bytes.isEmpty }
    /// Number of bytes.
    public var count: Int { bytes.count }

    /// Order by bytes.
    public static func < (a: Text, b: Text) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}
