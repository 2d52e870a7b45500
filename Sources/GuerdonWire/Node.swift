import CSimdjson
import GuerdonCore

/// A value in a line whose JSON is known to be well-formed. Valid until the next line is looked at.
struct Node {
    /// What a value is.
    enum Kind {
        case object, list, string, number, bool, null
    }

    /// The bytes that were indexed.
    let bytes: UnsafeRawPointer
    let tokens: UnsafePointer<csj_token>
    let index: Int

    private var token: csj_token { tokens[index] }

    var kind: Kind {
        switch Int(token.kind) {
        case CSJ_OBJECT: .object
        case CSJ_ARRAY: .list
        case CSJ_STRING, CSJ_ESCAPED_STRING: .string
        case CSJ_NUMBER_TOKEN: .number
        case CSJ_NULL: .null
        default: .bool
        }
    }

    /// Whether this is `true`.
    var isTrue: Bool { token.kind == UInt32(CSJ_TRUE) }
    var isNull: Bool { token.kind == UInt32(CSJ_NULL) }
    /// Whether this is a string whose bytes do not stand for themselves.
    var isEscaped: Bool { token.kind == UInt32(CSJ_ESCAPED_STRING) }

    /// The bytes as written; of a string without the quotes.
    var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes + Int(token.start), count: Int(token.count)) }

    /// The bytes of a string, without escapes.
    var text: Text { isEscaped ? Unescape.text(raw) : Text(copying: raw) }

    /// Whether this is a string of exactly these bytes.
    func isText(_ other: StaticString) -> Bool {
        isEscaped ? text.bytes.withUnsafeBytes { other.isSame(as: $0) } : other.isSame(as: raw)
    }

    private func node(_ index: Int) -> Node { Node(bytes: bytes, tokens: tokens, index: index) }

    /// The values of a list.
    var elements: [Node] {
        var result: [Node] = []
        var next = index + 1
        while next < Int(token.next) {
            result.append(node(next))
            next = Int(tokens[next].next)
        }
        return result
    }

    /// Calls `body` with each key and value of an object, as they stand.
    @inline(__always)
    func forEachMember(_ body: (_ key: Node, _ value: Node) throws(Refusal) -> Void) throws(Refusal) {
        var next = index + 1
        while next < Int(token.next) {
            try body(node(next), node(next + 1))
            next = Int(tokens[next + 1].next)
        }
    }

    /// The first value of an object with this key.
    func member(_ name: StaticString) -> Node? {
        var next = index + 1
        while next < Int(token.next) {
            if node(next).isText(name) { return node(next + 1) }
            next = Int(tokens[next + 1].next)
        }
        return nil
    }
}

/// Strings with escapes, which are known to be well-formed.
enum Unescape {
    static func text(_ raw: UnsafeRawBufferPointer) -> Text {
        var out: [UInt8] = []
        out.reserveCapacity(raw.count)
        var i = 0
        while i < raw.count {
            let byte = raw[i]
            guard byte == UInt8(ascii: "\\") else {
                out.append(byte)
                i += 1
                continue
            }
            let escape = raw[i + 1]
            i += 2
            switch escape {
            case UInt8(ascii: "b"): out.append(8)
            case UInt8(ascii: "f"): out.append(12)
            case UInt8(ascii: "n"): out.append(10)
            case UInt8(ascii: "r"): out.append(13)
            case UInt8(ascii: "t"): out.append(9)
            case UInt8(ascii: "u"):
                var code = hex(raw, i)
                i += 4
                if (0xD800..<0xDC00).contains(code) {
                    code = 0x10000 + (code - 0xD800) << 10 + (hex(raw, i + 2) - 0xDC00)
                    i += 6
                }
                out.append(contentsOf: String(UnicodeScalar(code) ?? "\u{FFFD}").utf8)
            default: out.append(escape)
            }
        }
        return Text(bytes: out)
    }

    private static func hex(_ raw: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
        (start..<start + 4).reduce(0 as UInt32) { code, i in
            let byte = raw[i]
            return code << 4 | UInt32(byte < 0x40 ? byte - 0x30 : (byte | 0x20) - 0x61 + 10)
        }
    }
}
