import GuerdonBench
import GuerdonCore
import GuerdonWire

extension Workload {
    /// Bytes of lines become rows and the bytes of a batch.
    static let decode = [
        Workload("decode-plain", unit: "line", operations: ScoringWorld.batch) {
            DecodeSession(lines: scoringLines(), commands: ScoringWorld.batch)
        },
        Workload("decode-attributes", unit: "line", operations: ScoringWorld.batch) {
            DecodeSession(lines: attributeLines(), commands: ScoringWorld.batch)
        },
        Workload("decode-member", unit: "line", operations: ScoringWorld.batch) {
            let job = ScoringJob(seed: 1, members: ScoringWorld.members, duplicates: 0.02)
            return DecodeSession(lines: job.memberLines(0..<UInt64(ScoringWorld.batch)), commands: ScoringWorld.batch)
        },
        Workload("decode-profile", unit: "line", operations: ScoringWorld.batch) {
            DecodeSession(lines: profileLines(), commands: ScoringWorld.batch)
        },
        Workload("decode-rank", unit: "line", operations: ScoringWorld.batch) {
            DecodeSession(lines: rankLines(), commands: 0)
        },
        Workload("decode-malformed", unit: "line", operations: ScoringWorld.batch) {
            DecodeSession(lines: malformedLines(), commands: 0)
        },
        Workload("decode-one-malformed", unit: "line", operations: ScoringWorld.batch) {
            var lines = scoringLines()
            // A control character in the middle of one line.
            lines[lines.count / 2] = 0x01
            return DecodeSession(lines: lines, commands: ScoringWorld.batch - 1)
        },
    ]

    private static func scoringLines() -> [UInt8] {
        ScoringJob(seed: 1, members: ScoringWorld.members, duplicates: 0.02)
            .actionLines(0..<UInt64(ScoringWorld.batch))
    }

    /// Actions with a title and attributes of every kind.
    private static func attributeLines() -> [UInt8] {
        lines { number in
            #"{"op":"action","externalId":"order-\#(number)","performer":"m\#(number % 97)","type":"purchase","#
                + #""value":"\#(number % 500).50","currency":"USD","at":"2026-11-05T09:00:00Z","title":"Order \#(number)","#
                + #""attributes":{"channel":"web","items":3,"rush":false,"weight":1.25,"categories":["books","music"]}}"#
        }
    }

    /// Members with all that people know of each other.
    private static func profileLines() -> [UInt8] {
        lines { number in
            #"{"op":"member.put","member":"m\#(number)","name":"Żaneta \#(number)","email":"m\#(number)@example.com","#
                + #""birthday":"1990-02-28","registered":"2026-01-05","kind":"ambassador","#
                + #""attributes":{"age":36,"region":"north"},"referrer":"m\#(number / 5)"}"#
        }
    }

    /// Questions for the ranks of members.
    private static func rankLines() -> [UInt8] {
        lines { #"{"op":"board.rank","id":\#($0),"board":"monthly","member":"m\#($0 * 97)","period":"2026-11"}"# }
    }

    /// One mistake a line: in the structure, in a field, in a value, in what is missing.
    private static func malformedLines() -> [UInt8] {
        lines { number in
            let action = #"{"op":"action","externalId":"order-\#(number)","performer":"m1","type":"purchase""#
            return switch number % 5 {
            case 0: action + #","value":"12.00""#
            case 1: action + #","value":"twelve","currency":"USD"}"#
            case 2: action + #","colour":"red"}"#
            case 3: #"{"op":"action","externalId":"order-\#(number)","type":"purchase"}"#
            default: #"{"op":"acton","externalId":"order-\#(number)"}"#
            }
        }
    }

    private static func lines(_ line: (Int) -> String) -> [UInt8] {
        Array((0..<ScoringWorld.batch).map { line($0) + "\n" }.joined().utf8)
    }
}

/// Decodes the same lines again and again.
private final class DecodeSession: Session {
    private let lines: [UInt8]
    private let commands: Int
    private let decoder = RequestDecoder()
    private let requests = Requests()
    private var defaults = ConnectionDefaults()

    /// - Parameter commands: how many of the lines are well-formed.
    init(lines: [UInt8], commands: Int) {
        self.lines = lines
        self.commands = commands
    }

    func run() {
        requests.reset()
        _ = lines.withUnsafeBytes { decoder.decode(lines: $0, defaults: &defaults, into: requests) }
        expect(requests.rows.count == ScoringWorld.batch, "\(requests.rows.count) rows")
        expect(requests.commands.count == commands, "\(requests.commands.count) commands")
    }
}
