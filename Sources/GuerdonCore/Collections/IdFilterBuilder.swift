/// Builds an `IdFilter` from keys in ascending order, partition by partition.
struct IdFilterBuilder {
    private let count: Int
    private var added = 0
    private var pending: [ExternalIdKey] = []
    private var partitions: [IdFilter.Partition] = []
    private let fingerprints: Fingerprints

    /// Attempts with other seeds before a partition is given up; each fails with a probability of a few per cent.
    private static let seedLimit: UInt8 = 64

    /// - Parameter count: how many keys will come.
    init(count: Int) {
        self.count = count
        pending.reserveCapacity(min(count, IdFilter.partitionKeys * 9 / 8))
        // Partitions are about equal, and their sizes are rounded up: so this is hardly ever too little.
        let partitions = IdFilter.partitionCount(count)
        let most = partitions < 2 ? count : count / partitions + 2048
        fingerprints = Fingerprints(capacity: partitions * Self.layout(keys: most).length)
    }

    mutating func add(_ key: ExternalIdKey) {
        precondition(added < count, "more keys than announced")
        let partition = IdFilter.partition(of: key, count: IdFilter.partitionCount(count))
        precondition(partition >= partitions.count, "keys out of order")
        while partitions.count < partition { finishPartition() }
        pending.append(key)
        added += 1
    }

    consuming func finish() -> IdFilter {
        precondition(added == count, "fewer keys than announced")
        while partitions.count < IdFilter.partitionCount(count) { finishPartition() }
        return IdFilter(count: count, partitions: partitions, fingerprints: fingerprints)
    }

    private mutating func finishPartition() {
        var partition = Self.layout(keys: pending.count)
        partition.start = UInt32(fingerprints.count)
        var solution = [UInt16](repeating: 0, count: partition.length)
        while !Self.solve(pending, partition, &solution) {
            partition.seed += 1
            guard partition.seed < Self.seedLimit else {
                // Two keys with the same 64 bits. Taking every key to be in is slow here but never wrong.
                partition.segmentCount = 0
                solution = []
                break
            }
        }
        for fingerprint in solution { fingerprints.append(fingerprint) }
        partitions.append(partition)
        pending.removeAll(keepingCapacity: true)
    }

    /// The sizes that the authors found to be solvable, in whole numbers.
    private static func layout(keys: Int) -> IdFilter.Partition {
        let perThousand =
            switch keys {
            case ..<64: 4000
            case ..<1000: 1800
            case ..<2000: 1400
            case ..<20_000: 1340
            case ..<50_000: 1230
            default: 1200
            }
        // A segment grows with about the square root of the keys: one doubling per factor 3.33.
        var (shift, threshold) = (2, 2)
        while keys > threshold, shift < 12 {
            threshold = threshold * 333 / 100 + 1
            shift += 1
        }
        let capacity = keys * perThousand / 1000
        let segments = max((capacity + (1 << shift) - 1) >> shift, 3)
        return IdFilter.Partition(start: 0, seed: 0, segmentShift: UInt8(shift), segmentCount: UInt16(segments - 2))
    }

    /// Peels keys that have a place of their own until none is left, then fills the places in reverse.
    private static func solve(
        _ keys: [ExternalIdKey], _ partition: IdFilter.Partition, _ solution: inout [UInt16]
    ) -> Bool {
        let count = keys.count
        return withUnsafeTemporaryAllocation(of: Cell.self, capacity: partition.length) { cells in
            cells.initialize(repeating: Cell())
            for key in keys {
                let hash = IdFilter.Places.hash(key, seed: partition.seed)
                IdFilter.Places(hash: hash, partition).forEach { cells[$0].add(hash) }
            }
            return withUnsafeTemporaryAllocation(of: Peeled.self, capacity: count) { peeled in
                var (done, places) = (0, cells.indices.filter { cells[$0].users == 1 })
                while done < count, let place = places.popLast() {
                    guard cells[place].users == 1 else { continue }
                    let hash = cells[place].hashes
                    peeled[done] = Peeled(hash: hash, place: place)
                    done += 1
                    IdFilter.Places(hash: hash, partition).forEach { other in
                        cells[other].remove(hash)
                        if cells[other].users == 1 { places.append(other) }
                    }
                }
                guard done == count else { return false }
                fill(peeled, partition, &solution)
                return true
            }
        }
    }

    /// A place of the filter: how many keys use it, and their hashes combined, which is the hash of the last one left.
    private struct Cell: BitwiseCopyable {
        var hashes: UInt64 = 0
        var users: UInt32 = 0

        @inline(__always)
        mutating func add(_ hash: UInt64) {
            hashes ^= hash
            users &+= 1
        }

        @inline(__always)
        mutating func remove(_ hash: UInt64) {
            hashes ^= hash
            users &-= 1
        }
    }

    /// A key that had a place of its own when all before it were taken out.
    private struct Peeled: BitwiseCopyable {
        var hash: UInt64
        var place: Int
    }

    /// Gives the place of each key what makes its three places add up, the last one peeled first.
    private static func fill(
        _ peeled: UnsafeMutableBufferPointer<Peeled>, _ partition: IdFilter.Partition, _ solution: inout [UInt16]
    ) {
        for key in peeled.reversed() {
            let places = IdFilter.Places(hash: key.hash, partition)
            solution[key.place] = 0
            solution[key.place] =
                places.fingerprint ^ solution[places.first] ^ solution[places.second] ^ solution[places.third]
        }
    }
}

/// The fingerprints of a filter that is being made, in large pages: a filter is asked at random.
final class Fingerprints {
    /// The memory of finished fingerprints, which somebody frees.
    struct Storage {
        var start: UnsafeMutablePointer<UInt16>
        var capacity: Int

        func free() { StateMemory.free(start, count: capacity) }
    }

    private(set) var count = 0
    private var storage: Storage?

    init(capacity: Int) { storage = Self.storage(max(capacity, 1)) }

    deinit { storage?.free() }

    private static func storage(_ capacity: Int) -> Storage {
        Storage(start: StateMemory.allocate(UInt16.self, count: capacity), capacity: capacity)
    }

    func append(_ fingerprint: UInt16) {
        guard var room = storage else { preconditionFailure("the fingerprints have gone") }
        if count == room.capacity {
            let larger = Self.storage(room.capacity * 2)
            larger.start.update(from: room.start, count: count)
            room.free()
            room = larger
            storage = larger
        }
        room.start[count] = fingerprint
        count += 1
    }

    /// Hands the memory over.
    func release() -> Storage {
        guard var room = storage else { preconditionFailure("the fingerprints have gone") }
        storage = nil
        if room.capacity - count > count / 32 {
            let exact = Self.storage(max(count, 1))
            exact.start.update(from: room.start, count: count)
            room.free()
            room = exact
        }
        return room
    }
}
