import GuerdonCore
import GuerdonModel
import TestSupport
import Testing

@testable import GuerdonEngine

/// What must never show in the state: shard count, batches, hash seed, a restart from a snapshot, a replay.
@Suite struct StateHashTests {
    /// The whole stream on one shard, and every reply.
    private func plainRun(_ steps: [StreamGenerator.Step]) throws -> (harness: Harness, replies: [String]) {
        let harness = Harness(shards: 1)
        return (harness, try run(steps, on: harness))
    }

    /// Runs steps on a fresh harness, and compares its replies and its state with those of the plain run.
    private func expectSame(
        _ steps: [StreamGenerator.Step], shards: Int, as plain: (harness: Harness, replies: [String]), _ what: String
    ) throws {
        let other = Harness(shards: shards)
        #expect(try run(steps, on: other) == plain.replies, "\(what)")
        #expect(other.world.stateHash() == plain.harness.world.stateHash(), "\(what)")
    }

    private func run(_ steps: some Sequence<StreamGenerator.Step>, on harness: Harness) throws -> [String] {
        var replies: [String] = []
        for step in steps { replies += try harness.handle(step.lines, at: step.time).map(\.text) }
        return replies
    }

    @Test(arguments: streams(200...209))
    func shardCountsDoNotShow(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 40)
        let plain = try plainRun(steps)
        for shards in [2, 4, 8] {
            try expectSame(steps, shards: shards, as: plain, "seed \(seed), \(shards) shards")
        }
    }

    @Test(arguments: streams(220...229))
    func batchesDoNotShow(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 40)
        let plain = try plainRun(steps)
        for (cut, shards) in [(1, 1), (2, 4), (3, 8)] as [(UInt64, Int)] {
            let recut = Recutter.recut(steps, seed: seed &* 10 &+ cut)
            try expectSame(recut, shards: shards, as: plain, "seed \(seed), cut \(cut)")
        }
    }

    @Test(arguments: streams(240...249))
    func aSnapshotAnywhereDoesNotShow(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 40)
        let plain = try plainRun(steps)
        for (part, shards) in [(steps.count / 3, 4), (2 * steps.count / 3, 1), (steps.count, 8)] {
            let before = Harness(shards: 2)
            var replies = try run(steps.prefix(part), on: before)
            let after = try Harness(continuing: before, shards: shards)
            #expect(after.world.stateHash() == before.world.stateHash(), "seed \(seed), loaded after \(part)")
            replies += try run(steps.dropFirst(part), on: after)
            #expect(replies == plain.replies, "seed \(seed), continued after \(part)")
            #expect(
                after.world.stateHash() == plain.harness.world.stateHash(), "seed \(seed), continued after \(part)")
        }
    }

    @Test(arguments: streams(260...269))
    func aReplayDoesNotShow(seed: UInt64) throws {
        let plain = try plainRun(randomSteps(seed, count: 40))
        let replayed = Harness(shards: 2, seed: 99)
        for batch in plain.harness.log { try replayed.replay(batch) }
        #expect(replayed.world.stateHash() == plain.harness.world.stateHash(), "seed \(seed)")
    }

    @Test(arguments: streams(280...299))
    func whatIsDoneBesideAReplayDoesNotShow(seed: UInt64) throws {
        let steps = randomSteps(seed, count: 60)
        let plain = Harness(shards: 1, idsPerGeneration: seed % 2 == 0 ? 20 : nil)
        _ = try run(steps.dropLast(), on: plain)
        let chance = SplitMix64(seed: seed)
        let recovered = [
            try Harness(recovering: plain, beside: Procrastinator(), chance: chance),
            try Harness(recovering: plain, beside: SideThread(name: "bookings", gathered: 8), chance: chance),
        ]
        for other in recovered {
            #expect(other.world.stateHash() == plain.world.stateHash(), "seed \(seed)")
            let violations = other.world.checkInvariants().filter { !$0.holds }
            #expect(violations.isEmpty, "seed \(seed)")
        }
        // The stream's audit asks for everything.
        let replies = try run(steps.suffix(1), on: plain)
        for other in recovered {
            let same = try run(steps.suffix(1), on: other)
            #expect(same == replies, "seed \(seed)")
        }
    }

    @Test func aReplayOfActionsAndOtherCommandsInTurnSeldomWaits() throws {
        let plain = Harness(shards: 1)
        let setup = [
            #"{"op":"workspace.put","workspace":"main","autoCreateMembers":true}"#,
            #"{"op":"currency.put","currency":"PTS","scale":0}"#,
            #"{"op":"plan.put","plan":{"plan":"p","bonuses":[{"bonus":"b","rewards":[{"to":"performer","#
                + #""currency":"PTS","amount":"5"}]}]}}"#,
        ]
        let turns = (0..<2000).flatMap { number in
            [
                #"{"op":"action","externalId":"a\#(number)","type":"order","performer":"m"}"#,
                #"{"op":"redeem","externalId":"r\#(number)","member":"m","currency":"PTS","amount":"1"}"#,
            ]
        }
        let replies = try plain.handle(setup + turns, at: 0).map(\.text)
        #expect(replies.allSatisfy { $0.contains("\"ok\":true") })
        // Each wait for the runner costs as much as a hundred actions.
        let runner = Procrastinator()
        let recovered = try Harness(recovering: plain, beside: runner, ownActions: 100)
        #expect(runner.started > 0 && runner.started <= 2000 / 100 + 1)
        #expect(recovered.world.stateHash() == plain.world.stateHash())
    }

    /// Enough members that their index and the order of the board are made beside the reading.
    private func largeRun() throws -> Harness {
        let harness = Harness(shards: 1)
        let setup = [
            #"{"op":"workspace.put","workspace":"main","autoCreateMembers":true}"#,
            #"{"op":"currency.put","currency":"PTS","scale":0}"#,
            #"{"op":"board.put","board":"b","score":{"currency":"PTS"},"period":"all"}"#,
            #"{"op":"plan.put","plan":{"plan":"p","bonuses":[{"bonus":"b","rewards":[{"to":"performer","#
                + #""currency":"PTS","per":"1","amount":"1"}]}]}}"#,
        ]
        let actions = (0..<12_000).map { number in
            #"{"op":"action","externalId":"a\#(number)","type":"t","performer":"m\#(number)","value":"\#(number % 97)"}"#
        }
        let replies = try harness.handle(setup + actions, at: 0).map(\.text)
        #expect(replies.allSatisfy { $0.contains("\"ok\":true") })
        return harness
    }

    @Test func whatIsDoneBesideTheLoadingDoesNotShow() throws {
        let plain = try largeRun()
        let reads =
            stride(from: 0, to: 12_500, by: 41).map { #"{"op":"board.rank","board":"b","member":"m\#($0)"}"# }
            + [#"{"op":"board.top","board":"b","limit":1000}"#]
        let replies = try plain.handle(reads, at: 1).map(\.text)
        for side in [Procrastinator(), SideThread(name: "boards")] as [any SideRunner] {
            let loaded = try Harness(continuing: plain, shards: 1, side: side)
            let same = try loaded.handle(reads, at: 1).map(\.text)
            #expect(same == replies)
            #expect(loaded.world.stateHash() == plain.world.stateHash())
            let violations = loaded.world.checkInvariants().filter { !$0.holds }
            #expect(violations.isEmpty)
        }
    }

    /// Numbers of the sections of a workspace's settings and of its members' ids.
    private static let (workspace, memberIds) = (UInt32(2), UInt32(3))

    @Test(arguments: [false, true]) func aSnapshotThatNamesAMemberTwiceIsRefused(isBeside: Bool) throws {
        let plain = try largeRun()
        #expect(throws: MalformedBytes.self) {
            _ = try Harness(continuing: plain, shards: isBeside ? 1 : 2, side: isBeside ? Procrastinator() : nil) {
                for number in $0.indices where $0[number].section == Self.memberIds {
                    // "m1" becomes a second "m0".
                    guard let place = $0[number].bytes.firstRange(of: Array("m1".utf8))?.lowerBound else { continue }
                    $0[number].bytes[place + 1] = UInt8(ascii: "0")
                    return
                }
            }
        }
    }

    @Test func aSnapshotThatNamesAWorkspaceTwiceIsRefused() throws {
        let plain = try largeRun()
        #expect(throws: MalformedBytes.self) {
            _ = try Harness(continuing: plain, shards: 1, side: SideThread(name: "boards")) { pieces in
                let again = pieces.filter { $0.section == Self.workspace || $0.section == Self.memberIds }
                pieces.insert(contentsOf: again, at: pieces.count - 1)
            }
        }
    }
}
