import GuerdonModel
import Testing

/// Actions of all sorts in one batch: some are paid as they are worked out, others by way of messages, and nothing shows which
/// (I06, I16, I22).
@Suite struct MixedShapeTests {
    private static let setUp =
        [
            #"{"op":"currency.put","currency":"PTS"}"#,
            #"{"op":"currency.put","currency":"EUR","kind":"money","scale":2,"rounding":"halfEven"}"#,
            #"{"op":"currency.put","currency":"XP","lifetime":"P1D"}"#,
            #"{"op":"board.put","board":"points","score":{"currency":"PTS"},"period":"day"}"#,
            #"{"op":"board.put","board":"ever","score":{"currency":"PTS"},"period":"all"}"#,
            plan("plain", "action.type != 'purchase'", points, commission),
            plan("tagging", #"action.type == \"signup\""#, points, #"{"to":"performer","tag":"keen"}"#),
            plan(
                "dated", "action.type in ['purchase', 'deal.closed']",
                #"{"to":"performer","currency":"XP","amount":"7"}"#, points),
            plan("asking", "action.type == 'purchase'", when: "action.value >= 10", commission, points),
        ] + (0..<members).map(member)

    private static let members = 30
    private static let types = ["purchase", "signup", "deal.closed", "visit", "visit"]
    private static let points = #"{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}"#
    private static let commission =
        #"{"to":"upline","currency":"EUR","levels":[{"rate":"5%"},{"rate":"2.5%"},{"rate":"0.5%"}]}"#

    private static func plan(_ name: String, _ audience: String, when: String = "true", _ rewards: String...) -> String
    {
        #"{"op":"plan.put","plan":{"plan":"\#(name)","audience":"\#(audience)","bonuses":[{"bonus":"b","#
            + #""when":"\#(when)","rewards":["# + rewards.joined(separator: ",") + "]}]}}"
    }

    private static func member(_ number: Int) -> String {
        number == 0
            ? #"{"op":"member.put","member":"m0"}"#
            : #"{"op":"member.put","member":"m\#(number)","referrer":"m\#((number - 1) / 2)"}"#
    }

    /// Actions in runs of one to forty of a type, some of them sent twice.
    private static func actions(seed: UInt64, count: Int) -> [String] {
        var state = seed
        func below(_ bound: Int) -> Int {
            state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
            return Int(state >> 33) % bound
        }
        var lines: [String] = []
        while lines.count < count {
            let type = types[below(types.count)]
            for _ in 0...below(40) {
                if !lines.isEmpty, below(12) == 0 {
                    lines.append(lines[below(lines.count)])
                    continue
                }
                lines.append(
                    #"{"op":"action","externalId":"a\#(lines.count)","performer":"m\#(below(members))","#
                        + #""type":"\#(type)","currency":"EUR","value":"\#(below(100)).\#(10 + below(90))"}"#)
            }
        }
        return lines
    }

    private static let audit =
        (0..<members).flatMap { member in
            [
                #"{"op":"wallet","member":"m\#(member)","lots":true}"#,
                #"{"op":"board.rank","board":"points","member":"m\#(member)","around":3}"#,
                #"{"op":"statement","member":"m\#(member)","limit":200}"#,
            ]
        } + [#"{"op":"board.top","board":"ever","limit":40}"#]

    @Test(arguments: 1...3 as ClosedRange<UInt64>, [1, 4])
    func aBatchOfManyShapesIsPaidAsTheModelSays(seed: UInt64, shards: Int) throws {
        let time: Int64 = 1_793_527_200_000_000_000
        let replies = try Harness(shards: shards).handle(Self.setUp, at: time)
        for (line, reply) in zip(Self.setUp, replies) where !reply.text.contains(#""ok":true"#) {
            Issue.record("\(line): \(reply.text)")
        }
        let steps = [
            StreamGenerator.Step(time: time, lines: Self.setUp),
            StreamGenerator.Step(time: time, lines: Self.actions(seed: seed, count: 400)),
            StreamGenerator.Step(time: time, lines: Self.audit),
        ]
        if let difference = try firstDifference(steps, shards: shards) { Issue.record("\(difference)") }
    }
}
