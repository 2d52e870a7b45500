import GuerdonCore
import Synchronization
import Testing

@testable import GuerdonEngine
@testable import GuerdonServer

/// Who does a batch: the engine's thread, or the event loop while that waits.
@Suite final class IntakeTests {
    /// Notes what it is given, and who gives it.
    private final class Runner: BatchRunner {
        let takes: Bool
        let ran = Atomic(0)
        let during: @Sendable () -> Void
        let intake = Monitor<Intake?>(nil)

        init(takes: Bool, during: @escaping @Sendable () -> Void = {}) {
            self.takes = takes
            self.during = during
        }

        func takesHere(_ batch: any EngineBatch) -> Bool { takes }
        func runHere(_ batch: any EngineBatch) {
            during()
            if let batch = batch as? ServerBatch { intake.value?.recycle(batch) }
            ran.add(1, ordering: .sequentiallyConsistent)
        }
    }

    private let server = Server(onFailure: { _ in })

    deinit { try? server.stop() }

    private func makeIntake(_ runner: Runner) -> Intake {
        let intake = Intake(onTaken: {}, onFailure: { _ in })
        intake.fill((0..<3).map { _ in ServerBatch(server: server) })
        intake.begin(runner)
        runner.intake.change { $0 = intake }
        return intake
    }

    private func addLine(to intake: Intake) {
        let connection = Connection(server: server)
        let hasRoom = intake.withOpen { batch in
            batch.runs.append(ServerBatch.Run(connection: connection, rows: 0..<0, charge: 0, commandsBefore: 0))
            return true
        }
        #expect(hasRoom)
    }

    /// Takes batches on a thread of its own, as the engine does, and tells what it got.
    private final class Taker: Sendable {
        let taken = Monitor(0)
        let returned = Monitor(0)
        private let isDone: Monitor<Bool>
        private let thread: DedicatedThread

        init(_ intake: Intake, timeout: Int64) {
            let (taken, returned, isDone) = (taken, returned, Monitor(false))
            self.isDone = isDone
            thread = DedicatedThread(name: "taker") {
                while !isDone.value {
                    if let batch = intake.take(timeoutNanoseconds: timeout) as? ServerBatch {
                        intake.recycle(batch)
                        taken.change { $0 += 1 }
                    }
                    returned.change { $0 += 1 }
                }
            }
        }

        /// Ends the thread; the intake has to be closed before.
        func join() {
            isDone.change { $0 = true }
            thread.join()
        }
    }

    /// Offers until the taker waits.
    private func offer(_ intake: Intake, until isDone: () -> Bool) {
        for _ in 0..<5000 where !isDone() {
            intake.offer()
            pause(milliseconds: 1)
        }
        #expect(isDone())
    }

    @Test func aSmallBatchIsDoneWhileTheEngineWaits() {
        let runner = Runner(takes: true)
        let intake = makeIntake(runner)
        let taker = Taker(intake, timeout: 60_000_000_000)
        addLine(to: intake)
        // Until the thread waits, the batch is there for it to take as well.
        offer(intake) { runner.ran.load(ordering: .sequentiallyConsistent) == 1 || taker.taken.value == 1 }
        intake.close()
        taker.join()
        #expect(runner.ran.load(ordering: .sequentiallyConsistent) + taker.taken.value == 1)
    }

    @Test func aBatchThatIsRefusedGoesToTheEngine() {
        let runner = Runner(takes: false)
        let intake = makeIntake(runner)
        let taker = Taker(intake, timeout: 60_000_000_000)
        addLine(to: intake)
        offer(intake) { taker.taken.value == 1 }
        intake.close()
        taker.join()
        #expect(runner.ran.load(ordering: .sequentiallyConsistent) == 0)
    }

    @Test func theEngineDoesNotGoOnWhileABatchIsDoneElsewhere() {
        let returnedMeanwhile = Monitor(-1)
        let box = Monitor<Taker?>(nil)
        let runner = Runner(takes: true) {
            // Longer than the taker's patience.
            let before = box.value?.returned.value ?? -1
            pause(milliseconds: 50)
            returnedMeanwhile.change { $0 = (box.value?.returned.value ?? -1) - before }
        }
        let intake = makeIntake(runner)
        let taker = Taker(intake, timeout: 5_000_000)
        box.change { $0 = taker }
        // The thread may take some of them itself; in the end one is done here.
        for _ in 0..<10_000 where runner.ran.load(ordering: .sequentiallyConsistent) == 0 {
            addLine(to: intake)
            intake.offer()
            pause(milliseconds: 1)
        }
        intake.close()
        taker.join()
        #expect(runner.ran.load(ordering: .sequentiallyConsistent) == 1)
        #expect(returnedMeanwhile.value == 0)
    }
}

extension Monitor {
    fileprivate var value: State { changeQuietly { $0 } }
}
