import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

/// A directory that goes with the test.
final class Scratch {
    private let directory = try! TemporaryDirectory()
    var path: String { directory.path }

    static func names(_ path: String) -> [String] { ((try? FileSystem(faults: nil).list(path)) ?? nil) ?? [] }

    /// A fresh ledger named `name`, with an identity that is the same in every run.
    func ledger(_ name: String = "ledger", identity: UInt64 = 1) throws -> String {
        let ledger = path + "/" + name
        let superblock = Superblock(
            identity: LedgerIdentity(low: 0x0706_0504_0302_0100 &+ identity &- 1, high: 0x0F0E_0D0C_0B0A_0908),
            seed: [1, 2, 3, 4])
        try DataDirectory.create(at: ledger, superblock: superblock)
        return ledger
    }
}

func contents(_ path: String) throws -> [UInt8] {
    let file = try File(path, .read, faults: nil)
    return try #require(try file.bytes(at: 0, count: Int(file.size)))
}

func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    unlink(path)
    let file = try File(path, .create, faults: nil)
    try file.write(bytes, at: 0)
}

func copyTree(_ source: String, _ target: String) throws {
    mkdir(target, 0o700)
    for name in Scratch.names(source) {
        var status = stat()
        lstat(source + "/" + name, &status)
        if status.st_mode & S_IFMT == S_IFDIR {
            try copyTree(source + "/" + name, target + "/" + name)
        } else {
            try overwrite(target + "/" + name, contents(source + "/" + name))
        }
    }
}

/// The plain model of a log.
struct Batch: Equatable {
    var first: UInt64
    var count: UInt32
    var time: Int64
    var payload: [UInt8]

    static func sample(_ first: UInt64, count: UInt32 = 1, length: Int, seed: UInt64) -> Batch {
        var random = SplitMix64(seed: seed)
        return Batch(
            first: first, count: count, time: Int64(1_000 + first),
            payload: (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
}

extension WriteAheadLog {
    func append(_ batch: Batch) throws(StoreError) {
        try batch.payload.span.withUnsafeBytes { bytes throws(StoreError) in
            let cut = bytes.count / 3
            _ = try append(
                firstSequence: batch.first, count: batch.count, time: batch.time,
                UnsafeRawBufferPointer(rebasing: bytes[..<cut]), UnsafeRawBufferPointer(rebasing: bytes[cut...]))
        }
    }
}

extension SnapshotWriter {
    func write(section: UInt32, _ bytes: [UInt8]) throws(StoreError) {
        try bytes.span.withUnsafeBytes { buffer throws(StoreError) in try write(section: section, buffer) }
    }
}

extension BatchLog {
    /// Everything from `sequence` on, by the sequential reader.
    func all(from sequence: UInt64 = 1) throws(StoreError) -> [Batch] {
        var reader = try reader(from: sequence)
        var result: [Batch] = []
        while let record = try reader.next() {
            result.append(
                Batch(
                    first: record.info.firstSequence, count: record.info.count, time: record.info.time,
                    payload: [UInt8](record.payload)))
        }
        return result
    }
}
