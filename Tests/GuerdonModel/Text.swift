/// A piece of text that is compared, ordered and hashed by its UTF-8 bytes.
///
/// Swift's own `String` calls a composed and a decomposed "é" equal; ids on the wire are compared as bytes, so the
/// model never uses `String` as a key.
public struct Text: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The UTF-8 bytes.
    public let bytes: [UInt8]

    /// The text with these UTF-8 bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The text of a Swift string.
    public init(_ string: String) { bytes = Array(string.utf8) }

    /// The text of a literal.
    public init(stringLiteral value: String) { self.init(value) }

    /// The same text as a Swift string.
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// The same text as a Swift string.
    public var description: String { string }

    /// Byte-wise lexicographic order.
    public static func < (left: Text, right: Text) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
