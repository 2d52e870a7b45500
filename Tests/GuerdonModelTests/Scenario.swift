import GuerdonModel
import Testing

/// A model and a clock, driven by hand in tests.
struct Scenario {
    var model = Model()
    /// Nanoseconds since the epoch; 2026-11-01T10:00:00Z at first.
    var time: Int64 = 1_793_527_200 * 1_000_000_000

    /// Lets seconds pass.
    mutating func wait(_ seconds: Int64) { time += seconds * 1_000_000_000 }

    /// Sends a line in `detail` and gives the whole reply. Single quotes stand for double ones, backticks for single
    /// ones.
    @discardableResult
    mutating func send(_ line: String) -> JSON {
        model.handle(line.replacing("'", with: "\"").replacing("`", with: "'"), at: time, ack: true)
    }

    /// Sends lines that must all succeed.
    mutating func setUp(_ lines: String..., location: SourceLocation = #_sourceLocation) {
        for line in lines {
            let reply = send(line)
            #expect(reply["ok"] == true, "\(line) gave \(reply.line)", sourceLocation: location)
        }
    }

    /// Sends a line and compares the reply with the JSON, in which single quotes stand for double ones.
    mutating func expect(_ line: String, _ reply: String, location: SourceLocation = #_sourceLocation) {
        let actual = send(line)
        let difference = ReplyComparison.difference(expected: actual, actual: reply.replacing("'", with: "\""))
        #expect(difference == nil, "\(line)", sourceLocation: location)
    }

    /// Sends a line that must be refused with this code and field; an empty field stands for none.
    mutating func refuse(
        _ line: String, _ code: String, _ field: String = "", location: SourceLocation = #_sourceLocation
    ) {
        let reply = send(line)
        #expect(reply["ok"] == false, "\(line)", sourceLocation: location)
        #expect(reply["error"]?["code"]?.string == code, "\(line)", sourceLocation: location)
        let shown = reply["error"]?["field"]
        #expect(
            shown == .anything || (shown?.string ?? "") == field, "\(line): \(reply.line)", sourceLocation: location)
    }

    /// The rewards in the reply to a line as `member amount currency@level`.
    mutating func rewards(_ line: String) -> [String] {
        let reply = send(line)
        return (reply["rewards"]?.elements ?? [.text("refused: \(reply.line)")]).map { reward in
            let name = { (key: Text) in reward[key]?.string ?? "?" }
            let shortfall = reward["shortfall"]?.string.map { " short \($0)" } ?? ""
            return "\(name("member")) \(name("amount")) \(name("currency"))@\(reward["level"]?.line ?? "?")\(shortfall)"
        }
    }

    /// The lots of a wallet with one currency as `amount expires source`.
    mutating func lots(_ member: String) -> [String] {
        let reply = send("{'op':'wallet','member':'\(member)','lots':true}")
        return (reply["balances"]?[0]?["lots"]?.elements ?? []).map { lot in
            "\(lot["amount"]?.string ?? "?") \(lot["expires"]?.string ?? "-") \(lot["source"]?.string ?? "-")"
        }
    }

    /// The statement of a member as `seq kind amount balance`, newest first.
    mutating func statement(_ member: String) -> [String] {
        let reply = send("{'op':'statement','member':'\(member)'}")
        return (reply["entries"]?.elements ?? []).map { entry in
            let texts = ["kind", "amount", "balance"].map { (key: Text) in entry[key]?.string ?? "?" }
            return ([entry["seq"]?.line ?? "?"] + texts).joined(separator: " ")
        }
    }

    /// A board's page as `rank member score`.
    mutating func page(_ line: String) -> [String] {
        (send(line)["entries"]?.elements ?? []).map { entry in
            "\(entry["rank"]?.line ?? "?") \(entry["member"]?.string ?? "?") \(entry["score"]?.string ?? "?")"
        }
    }
}
