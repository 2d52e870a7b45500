import GuerdonCore
import GuerdonWire

/// What became of one line.
enum Decoded: Equatable {
    case command(Command)
    case request(Request)

    var command: Command? {
        if case .command(let command) = self { command } else { nil }
    }
    var refusal: Refusal? {
        if case .request(.refused(let refusal)) = self { refusal } else { nil }
    }
}

/// Lines decoded by a fresh decoder, with the echoed ids.
struct Decoding {
    var lines: [Decoded] = []
    var ids: [String] = []
    var rows: [RequestRow] = []
    var defaults = ConnectionDefaults()
    var wantsLines = false

    init(_ bytes: [UInt8], lineBytes: Int = 64 * 1024) {
        let decoder = RequestDecoder(lineBytes: lineBytes)
        self.init(bytes, with: decoder, into: Requests())
    }

    init(_ bytes: [UInt8], with decoder: RequestDecoder, into requests: Requests) {
        requests.reset()
        var taken = 0
        while taken < bytes.count {
            taken += bytes[taken...].withUnsafeBytes { decoder.decode(lines: $0, defaults: &defaults, into: requests) }
            // There is every workspace here.
            defaults.settle(isAccepted: true)
        }
        var source = ByteSource(requests.commands.body.bytes)
        var shape = ActionShape()
        for row in requests.rows.elements {
            rows.append(row)
            ids.append(String(decoding: requests.id(of: row), as: UTF8.self))
            if row.kind == .command {
                guard let command = try? CommandCoding.decode(&source, shape: &shape) else {
                    fatalError("The body cannot be read back.")
                }
                lines.append(.command(command))
            } else if let request = requests.cold(of: row) {
                lines.append(.request(request))
            }
        }
        precondition(source.isAtEnd, "The body holds more than the rows say.")
        precondition(lines.count == rows.count)
        wantsLines = requests.commands.wantsLines
    }

    init(_ text: String) { self.init(Array(text.utf8)) }
}

/// The one line of a text, decoded.
func decode(_ line: String) -> Decoded {
    let decoding = Decoding(line)
    precondition(decoding.lines.count == 1, "Not one line: \(line)")
    return decoding.lines[0]
}

/// The refusal of a line that must be refused.
func refusal(_ line: String) -> Refusal? { decode(line).refusal }

/// An action as JSON from its fields' JSON texts.
func action(_ changes: KeyValuePairs<String, String?>) -> String {
    var fields: [(String, String)] = [
        ("op", "\"action\""), ("externalId", "\"b-1\""), ("performer", "\"m1\""), ("type", "\"purchase\""),
    ]
    for (name, value) in changes {
        fields.removeAll { $0.0 == name }
        if let value { fields.append((name, value)) }
    }
    return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
}
