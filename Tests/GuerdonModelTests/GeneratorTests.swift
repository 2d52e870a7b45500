import Foundation
import GuerdonModel
import Testing

/// The generator's streams are repeatable, varied, and keep the model's invariants: P1, P2, P6, P11, P12.
@Suite struct GeneratorTests {
    @Test func theSameSeedGivesTheSameStream() {
        var first = StreamGenerator(seed: 42)
        var second = StreamGenerator(seed: 42)
        for _ in 0..<50 { #expect(first.next() == second.next()) }
        #expect(first.audit() == second.audit())
    }

    @Test(arguments: 0..<60 as Range<UInt64>) func streamsKeepTheInvariants(seed: UInt64) {
        var generator = StreamGenerator(seed: seed)
        var model = Model()
        var last: Int64 = 0
        for number in 0..<80 {
            let step = generator.next()
            #expect(step.time >= last)
            last = step.time
            for line in step.lines { _ = model.handle(line, at: step.time, ack: true) }
            if number % 20 == 19 { #expect(model.checkInvariants() == [], "seed \(seed)") }
        }
        for line in generator.audit() {
            #expect(model.handle(line, at: last)["ok"] != nil)
        }
    }

    /// A stream that never meets a refusal or a case proves nothing about it.
    @Test func streamsMeetEveryRefusalAndReply() {
        var codes: [String: Int] = [:]
        for seed in UInt64(1000)..<1090 {
            var generator = StreamGenerator(seed: seed)
            var model = Model()
            for _ in 0..<80 {
                let step = generator.next()
                for line in step.lines {
                    let reply = model.handle(line, at: step.time, ack: true)
                    let text = reply.line
                    codes[reply["error"]?["code"].map(\.line) ?? "ok", default: 0] += 1
                    for word in [
                        "duplicate", "shortfall", "\"debt\"", "expiry", "\"reversal\"", "\"source\":null",
                        "\"rank\":null",
                    ]
                    where text.contains(word) {
                        codes[word, default: 0] += 1
                    }
                }
            }
        }
        let wanted = [
            "ok", "\"bad_request\"", "\"unknown_op\"", "\"unknown_workspace\"", "\"unknown_member\"",
            "\"unknown_currency\"",
            "\"unknown_account\"", "\"unknown_plan\"", "\"unknown_board\"", "\"unknown_action\"", "\"plan_invalid\"",
            "\"conflict\"",
            "\"cycle\"", "\"self_referral\"", "\"already_referred\"", "\"insufficient_funds\"", "\"budget_exhausted\"",
            "\"amount_out_of_range\"", "\"already_reversed\"", "duplicate", "shortfall", "\"debt\"", "expiry",
            "\"reversal\"",
        ]
        for word in wanted { #expect(codes[word, default: 0] > 5, "\(word) of \(codes)") }
        if ProcessInfo.processInfo.environment["PRINT"] != nil { print(codes.sorted { $0.key < $1.key }) }
    }

    @Test("Batch boundaries do not show in the model", arguments: 0..<10 as Range<UInt64>)
    func recutStreamsGiveTheSameReplies(seed: UInt64) {
        var generator = StreamGenerator(seed: seed)
        let steps = (0..<40).map { _ in generator.next() }
        let other = Recutter.recut(steps, seed: seed)
        #expect(steps.flatMap(\.lines) == other.flatMap(\.lines))
        let replies = [steps, other].map { steps in
            var model = Model()
            return steps.flatMap { step in step.lines.map { model.handle($0, at: step.time, ack: true) } }
        }
        #expect(replies[0] == replies[1])
    }

    @Test func everyConditionIsSampledBothWays() {
        var seen: [String: Set<Bool?>] = [:]
        for sample in ConditionSample.all(seed: 1, perCondition: 60) {
            seen[sample.expression, default: []].insert(sample.expected)
        }
        let constant = ["true", "false", "member.rank == null", "action.title.contains('x') && false"]
        for (expression, results) in seen where !constant.contains(expression) && !expression.hasPrefix("[1") {
            #expect(results.count > 1, "\(expression) is always \(results)")
        }
        #expect(seen.count == Conditions.table.count)
    }

    @Test func shrinkingLeavesTheLinesThatMatter() {
        var generator = StreamGenerator(seed: 3)
        var steps = (0..<30).map { _ in generator.next() }
        steps[7].lines.insert("first", at: 0)
        steps[21].lines.append("second")
        let shrunk = Shrinker.minimize(steps) { steps in
            let lines = steps.flatMap(\.lines)
            return lines.contains("first") && lines.contains("second")
        }
        #expect(shrunk.map(\.lines) == [["first"], ["second"]])
    }
}
