import GuerdonCore
import GuerdonModel
import Testing

/// Double entry, lots, budgets, forest and boards hold together after every batch.
@Suite struct InvariantTests {
    @Test(arguments: streams(300...319))
    func allHoldAfterEveryBatch(seed: UInt64) throws {
        let harness = Harness(shards: 1 << Int(seed % 4))
        for step in randomSteps(seed, count: 50) {
            _ = try harness.handle(step.lines, at: step.time)
            let violated = harness.world.checkInvariants().filter { !$0.holds }
            guard violated.isEmpty else {
                Issue.record("seed \(seed): \(violated) after\n\(step.lines.joined(separator: "\n"))")
                return
            }
        }
    }
}
