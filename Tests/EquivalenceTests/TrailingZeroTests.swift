import GuerdonModel
import Testing

/// More decimals than a currency has are refused, zeros too; but an action that was accepted is known again by its amount.
@Suite struct TrailingZeroTests {
    private static let setUp = [
        #"{"op":"currency.put","currency":"PTS"}"#,
        #"{"op":"currency.put","currency":"EUR","kind":"money","scale":2}"#,
        #"{"op":"account.put","account":"pot","currency":"EUR","budget":"1000.00"}"#,
        #"{"op":"member.put","member":"top"}"#, #"{"op":"member.put","member":"m","referrer":"top"}"#,
        #"{"op":"plan.put","plan":{"plan":"p","funding":"pot","bonuses":[{"bonus":"b","rewards":["#
            + #"{"to":"performer","currency":"EUR","amount":"1.50"},"#
            + #"{"to":"performer","currency":"PTS","per":"0.5000","amount":"2"},"#
            + #"{"to":"upline","currency":"EUR","levels":[{"rate":"10%"}]}]}]}}"#,
    ]

    private static func action(_ id: String, _ value: String, currency: String? = "EUR") -> String {
        let named = currency.map { #","currency":"\#($0)""# } ?? ""
        return #"{"op":"action","externalId":"\#(id)","performer":"m","type":"buy","value":\#(value)\#(named)}"#
    }

    private static func transfer(_ op: String, _ id: String, _ amount: String, currency: String = "EUR") -> String {
        #"{"op":"\#(op)","externalId":"\#(id)","member":"m","currency":"\#(currency)","amount":"\#(amount)"}"#
    }

    private static func reversal(_ id: String, _ value: String) -> String {
        #"{"op":"reverse","externalId":"\#(id)","of":"a","value":"\#(value)"}"#
    }

    /// Lines, and what every one of them gets: `new`, `again` or the code of the refusal.
    private static let cases: [[(line: String, outcome: String)]] = [
        // More decimals than the currency has, after fewer, and the other way round.
        [
            (action("a", #""1.50""#), "new"), (action("a", #""1.500""#), "again"), (action("a", "1.5000000"), "again"),
            (action("a", #""1.501""#), "conflict"), (action("a", #""1.5""#), "again"),
        ],
        [
            (action("a", #""1.500""#), "amount_out_of_range"), (action("a", #""1.5""#), "new"),
            (action("a", "1.50"), "again"), (action("a", "1.500"), "again"),
            (action("b", #""1.505""#), "amount_out_of_range"), (action("b", "2.00000000000"), "amount_out_of_range"),
            (action("b", "2"), "new"), (action("b", "2.00000000000"), "again"),
        ],
        // Nought is no other than nought; what is refused for its decimals is not.
        [
            (action("a", #""0.00""#), "new"), (action("a", "0"), "again"), (action("a", "0.000"), "again"),
            (action("a", #""0.001""#), "conflict"),
            (action("a", #""-0.0000""#), "again"),
        ],
        // Without a currency a value has six decimals.
        [
            (action("a", "1.123456", currency: nil), "new"), (action("a", #""1.12345600""#, currency: nil), "again"),
            (action("b", "1.1234567", currency: nil), "amount_out_of_range"),
        ],
        [
            (transfer("adjust", "a", "7.2500"), "amount_out_of_range"), (transfer("adjust", "a", "7.25"), "new"),
            (transfer("redeem", "r", "0.50"), "new"), (transfer("redeem", "r", "0.5"), "again"),
            (transfer("redeem", "r", "0.50000"), "again"), (transfer("redeem", "r", "0.501"), "conflict"),
            (transfer("adjust", "b", "3", currency: "PTS"), "new"),
            (transfer("adjust", "b", "3.000", currency: "PTS"), "again"),
            (transfer("adjust", "c", "3.001", currency: "PTS"), "amount_out_of_range"),
        ],
        [
            (action("a", "10"), "new"), (reversal("r", "2.50"), "new"), (reversal("r", "2.5"), "again"),
            (reversal("r", "2.500"), "again"), (reversal("s", "2.501"), "amount_out_of_range"),
            (reversal("s", "7.50"), "new"), (reversal("t", "1"), "already_reversed"),
        ],
    ]

    private static let audit = [#"{"op":"wallet","member":"m","lots":true}"#, #"{"op":"statement","member":"m"}"#]

    @Test(arguments: cases.indices, [1, 4])
    func aRepetitionIsKnownByItsAmount(number: Int, shards: Int) throws {
        let time: Int64 = 1_793_527_200_000_000_000
        let harness = Harness(shards: shards)
        _ = try harness.handle(Self.setUp, at: time)
        for (line, outcome) in Self.cases[number] {
            let reply = try harness.handle([line], at: time)[0].text
            let isAsSaid =
                switch outcome {
                case "new": reply.contains(#""ok":true"#) && !reply.contains("duplicate")
                case "again": reply.contains(#""duplicate":true"#)
                default: reply.contains(#""code":"\#(outcome)""#)
                }
            #expect(isAsSaid, "\(line): \(reply), not \(outcome)")
        }
        let lines = Self.setUp + Self.cases[number].map(\.line) + Self.audit
        let steps = lines.map { StreamGenerator.Step(time: time, lines: [$0]) }
        if let difference = try firstDifference(steps, shards: shards) { Issue.record("\(difference)") }
    }
}
