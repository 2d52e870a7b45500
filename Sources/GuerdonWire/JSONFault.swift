import CSimdjson
import GuerdonCore

/// What is wrong with a line that is no JSON, and where.
struct JSONFault {
    /// One of the shim's codes.
    var code: Int
    /// The whole line.
    var line: UnsafeRawBufferPointer
    /// Offset of the fault in the line; `nil` when it is still to be found.
    var at: Int?

    /// The refusal, with the column and what to do.
    var refusal: Refusal {
        let column = (at ?? place) + 1
        let what: String
        switch code {
        case CSJ_UTF8: what = "The bytes at column \(column) are not UTF-8; send text encoded as UTF-8."
        case CSJ_CONTROL:
            what = "A control character stands in a string at column \(column); write it as an escape such as \\n."
        case CSJ_UNCLOSED: what = "A string is not closed; close the one opened at column \(column) with a quote."
        case CSJ_NUMBER: what = "The number at column \(column) is malformed; write digits like 12 or -12.34."
        case CSJ_ESCAPE:
            what =
                "The escape at column \(column) is malformed; allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX "
                + "(outside the basic plane as a pair of surrogates)."
        case CSJ_KEY: what = "A key in quotes must stand at column \(column)."
        case CSJ_COLON: what = "A colon must stand behind the key, at column \(column)."
        case CSJ_COMMA: what = "A comma or the closing bracket must stand at column \(column)."
        case CSJ_TRAILING: what = "The request ends before column \(column); send one JSON object a line."
        case CSJ_DEPTH:
            what = "Objects and lists are nested over \(Limits.nesting) deep at column \(column); flatten them."
        case CSJ_EMPTY: what = "The line holds only white space; send one JSON object a line."
        case CSJ_MEMORY: return Refusal(.overloaded, "There is no memory to read the line; send it again later.")
        default:
            what =
                hasByteOrderMark
                ? "The line begins with a byte order mark; send it without."
                : "A value (object, list, string, number, true, false or null) must stand at column \(column)."
        }
        return Refusal(.badJson, "The line is not JSON. " + what)
    }

    private var hasByteOrderMark: Bool { line.starts(with: [0xEF, 0xBB, 0xBF]) }

    /// The offset of a fault that the indexing found but did not place.
    private var place: Int {
        switch code {
        case CSJ_UTF8: invalidUTF8 ?? 0
        case CSJ_CONTROL: stringFault(closed: true)
        case CSJ_UNCLOSED: stringFault(closed: false)
        default: 0
        }
    }

    /// The first byte that is not part of a UTF-8 sequence.
    private var invalidUTF8: Int? {
        var decoder = Unicode.UTF8.ForwardParser()
        var bytes = line.makeIterator()
        var offset = 0
        while true {
            switch decoder.parseScalar(from: &bytes) {
            case .valid(let scalar): offset += scalar.count
            case .error: return offset
            case .emptyInput: return nil
            }
        }
    }

    /// The first control character inside a string, or the quote that opens the string that stays open.
    private func stringFault(closed: Bool) -> Int {
        var opened: Int?
        var isEscaped = false
        for (i, byte) in line.enumerated() {
            if isEscaped {
                isEscaped = false
                if byte >= 0x20 { continue }
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "\""): opened = opened == nil ? i : nil
            case ..<0x20 where closed && opened != nil: return i
            default: break
            }
        }
        return opened ?? 0
    }
}
