import Foundation
import GuerdonEngine
import Synchronization
import TestSupport

@testable import GuerdonServer

/// A server on a free port, with a real engine on a directory of its own.
///
/// The engine can be held: then nothing is answered until it is let go.
final class TestServer {
    let server: Server
    let engine: Engine
    let port: Int
    private let gate: Gate
    private let directory: TemporaryDirectory
    private var hasStopped = false
    private let areReadsHeld: Held

    init(_ change: (inout ServerLimits) -> Void = { _ in }) throws {
        directory = try TemporaryDirectory()
        var options = EngineOptions()
        options.createIfMissing = true
        engine = try Engine(directory: directory.path + "/data", options: options)
        var limits = ServerLimits()
        change(&limits)
        let held = Held()
        areReadsHeld = held
        server = Server(limits: limits, beforeFetch: { while held.isSet { pause(milliseconds: 1) } }) { error in
            fatalError("the engine failed: \(error)")
        }
        port = try server.start(host: "127.0.0.1", port: 0)
        gate = Gate(server.source)
        engine.start(source: gate)
        let setup = try Client(port: port)
        try setup.ask(#"{"op":"workspace.put","workspace":"main","autoCreateMembers":true}"#)
        try setup.ask(#"{"op":"currency.put","currency":"PTS"}"#)
        try setup.ask(#"{"op":"board.put","board":"all","score":{"currency":"PTS"},"period":"all"}"#)
        try setup.ask(
            #"{"op":"plan.put","plan":{"plan":"p","bonuses":[{"bonus":"b","rewards":[{"to":"performer","currency":"PTS","amount":"1"}]}]}}"#
        )
    }

    /// Lets the engine take no batch until ``letGo()``.
    func hold() {
        gate.isHolding.store(false, ordering: .sequentiallyConsistent)
        gate.isHeld.store(true, ordering: .sequentiallyConsistent)
        while !gate.isHolding.load(ordering: .sequentiallyConsistent) { pause(milliseconds: 1) }
    }
    func letGo() {
        letReadsGo()
        letBatchesGo()
    }
    private func letBatchesGo() { gate.isHeld.store(false, ordering: .sequentiallyConsistent) }

    /// Lets nothing be read from log and history until ``letReadsGo()``: a disk that takes its time.
    func holdReads() { areReadsHeld.set(true) }
    func letReadsGo() { areReadsHeld.set(false) }

    private final class Held: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .sequentiallyConsistent) }
        func set(_ value: Bool) { flag.store(value, ordering: .sequentiallyConsistent) }
    }

    func client(receiveBuffer: CInt? = nil) throws -> Client { try Client(port: port, receiveBuffer: receiveBuffer) }

    /// Stops as the command does.
    ///
    /// - Parameter loopBusyFor: milliseconds that the event loop has other things to do when the engine is let go.
    func stop(loopBusyFor: Double = 0) throws {
        guard !hasStopped else { return }
        hasStopped = true
        try server.drain()
        if loopBusyFor > 0 { server.loop.execute { pause(milliseconds: loopBusyFor) } }
        letGo()
        try engine.stop()
        try server.stop()
    }

    deinit { try? stop() }

    /// Runs a body with a server that is stopped afterwards.
    static func run(
        _ change: (inout ServerLimits) -> Void = { _ in }, _ body: (TestServer) throws -> Void
    ) throws {
        let server = try TestServer(change)
        do { try body(server) } catch {
            server.letGo()
            try server.stop()
            throw error
        }
        try server.stop()
    }

    private final class Gate: BatchSource {
        let isHeld = Atomic(false)
        let isHolding = Atomic(false)
        private let source: any BatchSource

        init(_ source: any BatchSource) { self.source = source }

        func take(timeoutNanoseconds: Int64) -> (any EngineBatch)? {
            while isHeld.load(ordering: .sequentiallyConsistent) {
                isHolding.store(true, ordering: .sequentiallyConsistent)
                pause(milliseconds: 1)
            }
            return source.take(timeoutNanoseconds: timeoutNanoseconds)
        }

        func begin(_ runner: any BatchRunner) { source.begin(runner) }

        func failed(_ error: any Error) { source.failed(error) }
    }
}

/// An action of one point.
func action(_ externalId: String, by performer: String = "m1", id: Int? = nil) -> String {
    let id = id.map { #""id":\#($0),"# } ?? ""
    return #"{\#(id)"op":"action","externalId":"\#(externalId)","performer":"\#(performer)","type":"visit"}"# + "\n"
}

/// A reply without its log position.
func withoutPosition(_ reply: String) -> String { reply.replacing(/"seq":\d+/, with: #""seq":N"#) }

/// The available points in a reply to `wallet`.
func available(_ reply: String) -> Int? {
    reply.firstMatch(of: /"available":"(\d+)"/).flatMap { Int($0.1) }
}
