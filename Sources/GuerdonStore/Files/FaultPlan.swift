import Glibc
import Synchronization

/// Makes chosen file operations fail: how tests reach every error path without special hardware or privileges.
///
/// Operations are counted per kind from 1. A production directory has no plan; the cost is then one comparison per
/// system call.
package final class FaultPlan: Sendable {
    /// The kinds of operation that can be made to fail.
    package enum Operation: Int, Sendable, CaseIterable {
        case open, read, write, sync, rename, truncate, allocate, remove
    }

    private struct Rule {
        var operation: Operation
        var first: Int
        var repeats: Bool
        var errorNumber: Int32
        /// For writes: bytes that still reach the file before the error.
        var partial: Int
    }

    private struct State {
        var counts = [Int](repeating: 0, count: Operation.allCases.count)
        var rules: [Rule] = []
        /// From this operation on, over all kinds, nothing reaches the disk.
        var crash = Int.max
    }

    private let state = Mutex(State())

    /// Creates a plan in which nothing fails.
    package init() {}

    /// Lets the `nth` operation from now (1 is the next) fail with `errorNumber`, and all later ones if `repeats`.
    package func fail(
        _ operation: Operation, nth: Int = 1, repeats: Bool = false, errorNumber: Int32, partial: Int = 0
    ) {
        state.withLock {
            let first = $0.counts[operation.rawValue] + nth
            $0.rules.append(
                Rule(operation: operation, first: first, repeats: repeats, errorNumber: errorNumber, partial: partial))
        }
    }

    /// Lets every operation fail after `count` more: the disk then looks as if the process had been killed there.
    package func crash(after count: Int) {
        state.withLock { $0.crash = $0.counts.reduce(0, +) + count }
    }

    /// Forgets all rules.
    package func heal() {
        state.withLock {
            $0.rules = []
            $0.crash = .max
        }
    }

    /// How many operations of this kind were begun.
    package func count(of operation: Operation) -> Int { state.withLock { $0.counts[operation.rawValue] } }

    /// Counts one operation; the error it must end with, if any.
    func next(_ operation: Operation) -> (errorNumber: Int32, partial: Int)? {
        state.withLock { state in
            state.counts[operation.rawValue] += 1
            let count = state.counts[operation.rawValue]
            if state.crash != .max, state.counts.reduce(0, +) > state.crash { return (EIO, 0) }
            for rule in state.rules where rule.operation == operation {
                if count == rule.first || (rule.repeats && count > rule.first) {
                    return (rule.errorNumber, rule.partial)
                }
            }
            return nil
        }
    }
}
