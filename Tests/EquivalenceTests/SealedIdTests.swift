import GuerdonCore
import GuerdonModel
import GuerdonWire
import Testing

/// External ids that left memory are remembered as well: when they leave, and where they are, never shows.
@Suite struct SealedIdTests {
    private static func run(_ steps: some Sequence<StreamGenerator.Step>, on harness: Harness) throws -> [String] {
        var replies: [String] = []
        for step in steps { replies += try harness.handle(step.lines, at: step.time).map(\.text) }
        return replies
    }

    @Test(arguments: 300...315 as ClosedRange<UInt64>)
    func repliesEqualTheModels(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 50)
        let shards = 1 << Int(seed % 4)
        for limit in [1, 5] {
            let difference = try firstDifference(steps, shards: shards, idsPerGeneration: limit)
            #expect(difference == nil, "seed \(seed), \(shards) shards, \(limit) ids in memory: \(difference ?? "")")
        }
    }

    @Test(arguments: 340...347 as ClosedRange<UInt64>)
    func neitherGenerationsNorSnapshotsShow(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 50)
        let plain = Harness(shards: 1)
        let replies = try Self.run(steps, on: plain)
        for (limit, shards) in [(1, 1), (4, 2), (20, 8)] {
            let sealed = Harness(shards: shards, idsPerGeneration: limit)
            #expect(try Self.run(steps, on: sealed) == replies, "seed \(seed), \(limit) ids in memory")
            #expect(sealed.world.stateHash() == plain.world.stateHash(), "seed \(seed), \(limit) ids in memory")
            let part = steps.count / 2
            let before = Harness(shards: shards, idsPerGeneration: limit)
            var both = try Self.run(steps.prefix(part), on: before)
            let after = try Harness(continuing: before, shards: 4)
            both += try Self.run(steps.dropFirst(part), on: after)
            #expect(both == replies, "seed \(seed), \(limit) ids in memory, continued after \(part)")
            #expect(after.world.stateHash() == plain.world.stateHash(), "seed \(seed), continued after \(part)")
        }
    }

    @Test func theStreamsSealMergeAndFind() throws {
        var (found, merged) = (0, 0)
        for seed in 300...315 as ClosedRange<UInt64> {
            let harness = Harness(shards: 1, idsPerGeneration: 1)
            _ = try Self.run(randomSteps(seed, count: 50), on: harness)
            found += harness.sealed.found
            merged += harness.sealed.merged
        }
        #expect(found > 200)
        #expect(merged > 20)
    }

    private static let time: Int64 = 1_793_527_200_000_000_000

    /// A member, a plan, and actions `a0` to `a49` of which few ids are in memory.
    private func makeHarness() throws -> Harness {
        let harness = Harness(shards: 1, idsPerGeneration: 4)
        _ = try harness.handle(
            [
                #"{"op":"currency.put","currency":"PTS"}"#, #"{"op":"member.put","member":"m"}"#,
                #"{"op":"plan.put","plan":{"plan":"p","bonuses":[{"bonus":"b","rewards":["#
                    + #"{"to":"performer","currency":"PTS","amount":"2"}]}]}}"#,
            ], at: Self.time)
        for n in 0..<50 { _ = try harness.handle([Self.action("a\(n)")], at: Self.time) }
        #expect(harness.world.rememberedIds.sealed > 30)
        return harness
    }

    private static func action(_ id: String, value: String = "10") -> String {
        #"{"op":"action","externalId":"\#(id)","performer":"m","type":"t","value":"\#(value)"}"#
    }

    @Test func sealedIdsAreDuplicatesConflictsAndReversed() throws {
        let harness = try makeHarness()
        let replies = try harness.handle(
            [
                Self.action("a0"), Self.action("a1", value: "11"), Self.action("new"), Self.action("a0"),
                #"{"op":"reverse","externalId":"r","of":"a2"}"#, #"{"op":"reverse","externalId":"a3","of":"a2"}"#,
                #"{"op":"adjust","externalId":"a4","member":"m","currency":"PTS","amount":"1"}"#,
                #"{"op":"reverse","externalId":"s","of":"never"}"#,
            ], at: Self.time
        ).map(\.text)
        #expect(replies[0].contains(#""seq":4,"#) && replies[0].contains(#""duplicate":true"#))
        #expect(replies[1].contains(#""code":"conflict""#) && replies[1].contains("log position 5 "))
        #expect(!replies[2].contains("duplicate") && replies[2].contains(#""ok":true"#))
        #expect(replies[3] == replies[0])
        #expect(replies[4].contains(#""amount":"-2""#))
        #expect(replies[5].contains(#""code":"conflict""#) && replies[5].contains("log position 7 "))
        #expect(replies[6].contains(#""code":"conflict""#))
        #expect(replies[7].contains(#""code":"unknown_action""#))
    }

    @Test func anExplanationShowsWhatWasLeftWhenItWasAsked() throws {
        let harness = try makeHarness()
        var read = try harness.world.explainRead("a0", in: "main")
        #expect(try harness.world.answer(&read) == nil)
        _ = try harness.handle([#"{"op":"reverse","externalId":"r","of":"a0"}"#], at: Self.time)
        try read.fetch(from: harness)
        guard case .explain(let answer)? = try harness.world.answer(&read) else {
            Issue.record("not answered after one fetch")
            return
        }
        #expect(answer.sequence == 4)
        #expect(answer.left == nil)
        guard case .explain(let later) = try harness.answer(try harness.world.explainRead("a0", in: "main")) else {
            Issue.record("another answer")
            return
        }
        #expect(later.left == 0)
    }

    @Test func anIdThatWasAcceptedLaterIsNotExplained() throws {
        let harness = try makeHarness()
        // A question about an id that the filters cannot rule out; it is accepted and sealed before anybody looks.
        var read = PastRead(possiblySealed: "late", in: harness.world)
        for id in ["late"] + (0..<20).map({ "b\($0)" }) { _ = try harness.handle([Self.action(id)], at: Self.time) }
        try read.fetch(from: harness)
        #expect(throws: Refusal.self) { try harness.world.answer(&read) }
        read = PastRead(possiblySealed: "a7", in: harness.world)
        try read.fetch(from: harness)
        #expect(try harness.world.answer(&read) != nil)
    }

    @Test func aStatementFindsTheActionOfAReversalThatIsSealed() throws {
        let harness = try makeHarness()
        _ = try harness.handle([#"{"op":"reverse","externalId":"r","of":"a0"}"#], at: Self.time)
        for n in 0..<20 { _ = try harness.handle([Self.action("b\(n)")], at: Self.time) }
        let read = try harness.world.statementRead("m", in: "main", currency: nil, limit: 30, before: nil)
        guard case .statement(let page) = try harness.answer(read) else {
            Issue.record("another answer")
            return
        }
        let reversal = try #require(page.entries.first { $0.kind == .reversal })
        #expect(reversal.sourceOf == "a0")
        #expect(reversal.sourceMember == "m")
    }
}
