import GuerdonCore
import GuerdonWire
import Testing

private func json(_ command: Command, sequence: UInt64? = nil, time: Int64? = nil) -> [UInt8] {
    let out = ByteSink()
    defer { out.deallocate() }
    CommandJSON.write(command, sequence: sequence, time: time, into: out)
    return Array(out.bytes)
}

@Suite struct RoundTripTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>) func printedCommandReadsBackTheSame(_ seed: UInt64) {
        var commands = RandomCommands(seed: seed)
        let decoder = RequestDecoder()
        let requests = Requests()
        for _ in 0..<500 {
            let command = commands.next()
            let line = json(command)
            let decoding = Decoding(line, with: decoder, into: requests)
            #expect(decoding.lines == [.command(command)], "\(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test func manyCommandsInOneBufferReadBackInOrder() {
        var commands = RandomCommands(seed: 77)
        let all = (0..<3000).map { _ in commands.next() }
        let decoding = Decoding(all.flatMap { json($0) })
        #expect(decoding.lines == all.map { .command($0) })
    }

    @Test func sequenceAndTimeStandFirst() {
        let command = Command.action(ActionCommand(workspace: "main", externalId: "a", performer: "m", type: "t"))
        let line = String(decoding: json(command, sequence: 90, time: 1_793_527_200_500_000_000), as: UTF8.self)
        #expect(
            line == """
                {"seq":90,"time":"2026-11-01T10:00:00.5Z","op":"action","workspace":"main","externalId":"a","performer":"m","type":"t"}\n
                """)
        #expect(String(decoding: json(.tick, sequence: 1, time: 0), as: UTF8.self).contains("\"op\":\"tick\""))
    }

    /// The same action as plain as can be, and in writings that take the slow road.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func everyWritingOfAnActionDecodesTheSame(_ seed: UInt64) {
        var commands = RandomCommands(seed: seed)
        let decoder = RequestDecoder()
        let requests = Requests()
        for _ in 0..<300 {
            var action = commands.action()
            action.attributes = []
            var fields: [(String, String)] = [
                ("op", "\"action\""), ("workspace", quoted(action.workspace)),
                ("externalId", quoted(action.externalId)),
                ("performer", quoted(action.performer)), ("type", quoted(action.type)),
            ]
            if let value = action.value { fields.append(("value", "\"\(digits(value))\"")) }
            if let currency = action.currency { fields.append(("currency", quoted(currency))) }
            if let title = action.title { fields.append(("title", quoted(title))) }
            action.at = nil
            var writings = [fields]
            writings.append(fields.shuffled(using: &commands.random))
            writings.append(fields.map { ($0.0, $0.0 == "value" ? String($0.1.dropFirst().dropLast()) : $0.1) })
            writings.append(fields.map { (escaped($0.0), $0.1) })
            writings.append(fields + [("attributes", "{}")])
            writings.append(fields + [("at", "null"), ("attributes", "null")])
            for writing in writings {
                for (comma, colon) in [(",", ":"), (" ,\t", " : ")] {
                    let line = "{" + writing.map { "\"\($0.0)\"\(colon)\($0.1)" }.joined(separator: comma) + "}"
                    let decoding = Decoding(Array(line.utf8), with: decoder, into: requests)
                    #expect(decoding.lines == [.command(.action(action))], "\(line)")
                }
            }
        }
    }

    private func digits(_ value: DecimalNumber) -> String {
        var digits = String(value.coefficient.magnitude)
        let scale = Int(value.scale)
        if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
        if scale > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale)) }
        return (value.coefficient < 0 ? "-" : "") + digits
    }

    /// A JSON string with every other character written as an escape that is not needed.
    private func escaped(_ name: String) -> String {
        "\\u00" + String(name.utf8.first!, radix: 16) + name.dropFirst()
    }

    private func quoted(_ text: Text) -> String {
        let out = ByteSink()
        defer { out.deallocate() }
        var writer = JSONWriter(out)
        writer.string(text)
        return String(decoding: out.bytes, as: UTF8.self)
    }
}
