import GuerdonCore
import GuerdonModel
import Testing

/// Amounts and times near the edge of Int64 are refused or kept exactly; they never trap.
@Suite struct Int64EdgeTests {
    private static let max = "9223372036854775807"
    private static let setUp = [
        #"{"op":"currency.put","currency":"PTS"}"#,
        #"{"op":"currency.put","currency":"USD","kind":"money","scale":2}"#,
        #"{"op":"currency.put","currency":"FINE","scale":6}"#,
        #"{"op":"account.put","account":"pot","currency":"USD","budget":"92233720368547758.07"}"#,
        #"{"op":"board.put","board":"all","score":"PTS"}"#,
        #"{"op":"member.put","member":"top"}"#,
        #"{"op":"member.put","member":"m","referrer":"top"}"#,
    ]

    private static func plan(_ id: String, _ rewards: String, extra: String = "") -> String {
        #"{"op":"plan.put","plan":{"plan":"\#(id)"\#(extra),"bonuses":[{"bonus":"b","rewards":[\#(rewards)]}]}}"#
    }

    private static func action(_ id: Int, _ value: String, currency: String? = nil) -> String {
        let named = currency.map { #","currency":"\#($0)""# } ?? ""
        return #"{"op":"action","externalId":"a\#(id)","performer":"m","type":"buy","value":"\#(value)"\#(named)}"#
    }

    private static let audit = [
        #"{"op":"wallet","member":"m","lots":true}"#, #"{"op":"wallet","member":"top","lots":true}"#,
        #"{"op":"statement","member":"m"}"#, #"{"op":"board.top","board":"all"}"#,
        #"{"op":"board.rank","board":"all","member":"m","around":3}"#,
    ]

    /// What is done to a world with the settings above; the model says what is right.
    private static let cases: [[String]] = [
        // Adjustments up to the bound, one beyond it, and all the way back.
        [
            #"{"op":"adjust","externalId":"1","member":"m","currency":"PTS","amount":"\#(max)","reason":"r"}"#,
            #"{"op":"adjust","externalId":"2","member":"m","currency":"PTS","amount":"1","reason":"r"}"#,
            #"{"op":"adjust","externalId":"3","member":"top","currency":"PTS","amount":"1","reason":"r"}"#,
            #"{"op":"adjust","externalId":"4","member":"m","currency":"PTS","amount":"-\#(max)","reason":"r"}"#,
            #"{"op":"adjust","externalId":"5","member":"m","currency":"PTS","amount":"1","reason":"r"}"#,
        ],
        // Digits that no Int64 holds, and the one negative number without a positive twin.
        [
            #"{"op":"adjust","externalId":"1","member":"m","currency":"PTS","amount":"9223372036854775808","reason":"r"}"#,
            #"{"op":"adjust","externalId":"2","member":"m","currency":"PTS","amount":"-9223372036854775808","reason":"r"}"#,
            #"{"op":"adjust","externalId":"3","member":"m","currency":"USD","amount":"-92233720368547758.08","reason":"r"}"#,
            #"{"op":"redeem","externalId":"4","member":"m","currency":"PTS","amount":"-9223372036854775808","reason":"r"}"#,
            #"{"op":"redeem","externalId":"5","member":"m","currency":"PTS","amount":"\#(max)","reason":"r"}"#,
        ],
        // A rate of everything, then of more than everything.
        [
            plan("p", #"{"to":"performer","currency":"USD","rate":"100%"}"#),
            action(1, "92233720368547758.07", currency: "USD"), action(2, "0.01", currency: "USD"),
            #"{"op":"reverse","externalId":"r","of":"a1"}"#, action(3, "0.01", currency: "USD"),
        ],
        [
            plan("p", #"{"to":"performer","currency":"USD","rate":"100.000001%"}"#),
            action(1, "92233720368547758.07", currency: "USD"), action(2, "92233719446210562.61", currency: "USD"),
        ],
        // Into finer minor units than the value has.
        [
            plan("p", #"{"to":"performer","currency":"FINE","rate":"1"}"#),
            action(1, "92233720368547758.07", currency: "USD"), action(2, "9223372036854.77", currency: "USD"),
            action(3, "0.01", currency: "USD"),
        ],
        // Many units of a large amount.
        [
            plan("p", #"{"to":"performer","currency":"PTS","per":"0.000000001","amount":"\#(max)"}"#),
            action(1, "1"), action(2, "0"), action(3, "9223372036854.775807"), action(4, "9223372036854.775808"),
        ],
        [
            plan("p", #"{"to":"performer","currency":"PTS","per":"1","amount":"1","exchange":"999.999999999"}"#),
            action(1, "9223372036854.775807"), action(2, "92233720368547758.07", currency: "USD"),
            action(3, "9223372036", currency: "USD"), action(4, max, currency: "PTS"),
        ],
        // Each reward fits, their sum does not: nothing of the action may stay.
        [
            plan(
                "p",
                #"{"to":"performer","currency":"PTS","amount":"\#(max)"},{"to":"performer","currency":"PTS","amount":"1"}"#
            ),
            action(1, "1"),
        ],
        [
            plan(
                "p",
                #"{"to":"performer","currency":"PTS","amount":"1"},{"to":"upline","currency":"PTS","levels":[{"amount":"\#(max)"}]}"#
            ), action(1, "1"), #"{"op":"action","externalId":"t","performer":"top","type":"buy"}"#,
        ],
        // The largest budget, used up to the last unit, given back and used again.
        [
            plan("p", #"{"to":"performer","currency":"USD","rate":"1"}"#, extra: #","funding":"pot""#),
            action(1, "46116860184273879.04", currency: "USD"), action(2, "46116860184273879.04", currency: "USD"),
            action(3, "46116860184273879.03", currency: "USD"), #"{"op":"reverse","externalId":"r","of":"a3"}"#,
            action(4, "0.01", currency: "USD"),
        ],
        // Parts of the largest value taken back one after the other.
        [
            plan("p", #"{"to":"performer","currency":"PTS","per":"1","amount":"3"}"#),
            action(1, "3074457345618258602", currency: "PTS"),
            #"{"op":"reverse","externalId":"r1","of":"a1","value":"1"}"#,
            #"{"op":"reverse","externalId":"r2","of":"a1","value":"\#(max)"}"#,
            #"{"op":"reverse","externalId":"r3","of":"a1","value":"3074457345618258600"}"#,
            #"{"op":"reverse","externalId":"r4","of":"a1"}"#,
        ],
        // Debt as deep as the credits were high.
        [
            plan("p", #"{"to":"performer","currency":"PTS","amount":"\#(max)"}"#, extra: #","clawback":"debt""#),
            action(1, "1"),
            #"{"op":"redeem","externalId":"x","member":"m","currency":"PTS","amount":"\#(max)","reason":"r"}"#,
            #"{"op":"reverse","externalId":"r","of":"a1"}"#, action(2, "1"),
            #"{"op":"adjust","externalId":"y","member":"m","currency":"PTS","amount":"1","reason":"r"}"#,
        ],
        // Lifetimes that lead beyond the last instant.
        [
            plan("p", #"{"to":"performer","currency":"PTS","amount":"1","lifetime":"P230Y"}"#),
            plan("q", #"{"to":"performer","currency":"PTS","amount":"1","lifetime":"P999999Y"}"#),
            plan("s", #"{"to":"performer","currency":"PTS","amount":"1","lifetime":"PT9223372036S"}"#), action(1, "1"),
            #"{"op":"action","externalId":"e","performer":"m","type":"buy","at":"2261-12-31T23:59:59.999999999Z"}"#,
            #"{"op":"action","externalId":"f","performer":"m","type":"buy","at":"1678-01-01T00:00:00Z"}"#,
        ],
        // Integers in attributes.
        [
            #"{"op":"member.put","member":"m","attributes":{"n":\#(max),"o":-9223372036854775808}}"#,
            #"{"op":"member.put","member":"m","attributes":{"n":9223372036854775808}}"#,
            #"{"op":"member.get","member":"m"}"#,
        ],
    ]

    @Test(arguments: cases.indices, [1, 4])
    func edgesAreAsTheModelSays(index: Int, shards: Int) throws {
        let time: Int64 = 1_793_527_200_000_000_000
        let steps = (Self.setUp + Self.cases[index] + Self.audit).map {
            StreamGenerator.Step(time: time, lines: [$0])
        }
        if let difference = try firstDifference(steps, shards: shards) { Issue.record("\(difference)") }
        // The same in one batch: what one action leaves is seen by the next.
        let joined = [
            StreamGenerator.Step(time: time, lines: Self.setUp + Self.cases[index]),
            StreamGenerator.Step(time: time, lines: Self.audit),
        ]
        if let difference = try firstDifference(joined, shards: shards) { Issue.record("\(difference)") }
        let harness = Harness(shards: shards)
        for step in joined { _ = try harness.handle(step.lines, at: step.time) }
        let violated = harness.world.checkInvariants().filter { !$0.holds }
        #expect(violated.isEmpty)
    }
}
