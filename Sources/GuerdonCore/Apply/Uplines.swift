/// The uplines of a step's performers: for every row and level who stands there, found once and read by all rewards.
///
/// Levels that a performer does not have are not stored: ``ActionRow/depth`` says how many there are.
struct Uplines {
    private let members = Buffer<UInt32>()
    /// Rows still climbing, in order.
    private let climbers = Buffer<UInt32>(capacity: groupRows)

    func deallocate() {
        members.deallocate()
        climbers.deallocate()
    }

    /// Who stands `level` levels above the performer of row `row`; level 0 is the performer. At most the row's depth.
    @inline(__always)
    func member(_ level: Int, of row: Int) -> UInt32 { members[level &* Step.capacity &+ row] }

    /// Climbs from the open rows of a run, whose referrers are being loaded, at most `levels` up, level by level: a miss of the cache
    /// costs more than the rest, and only many at once hide each other.
    func climb(_ range: Range<Int>, of rows: Buffer<ActionRow>, levels: Int, _ forest: Forest) {
        precondition(range.upperBound <= Step.capacity && levels < 256)
        if range.isEmpty { return }
        members.grow(to: (levels + 1) * Step.capacity, with: Forest.none)
        climbers.removeAll()
        // Levels of a row lie a step's capacity apart, and no row is beyond that.
        var level = members.address(of: 0)
        let queue = climbers.extend(by: range.count)
        var left = 0
        var number = range.lowerBound
        rows.forEach(in: range) { row in
            if row.pointee.state == .open {
                level[number] = row.pointee.member
                row.pointee.depth = 0
                queue[left] = UInt32(truncatingIfNeeded: number)
                left &+= 1
            }
            number &+= 1
        }
        let first = rows.address(of: range.lowerBound) - range.lowerBound
        for depth in 1..<levels + 1 where left > 0 {
            let (below, climbing) = (level, left)
            level += Step.capacity
            left = 0
            for c in 0..<climbing {
                let row = Int(queue[c])
                let referrer = forest.referrer(of: below[row])
                if referrer == Forest.none { continue }
                level[row] = referrer
                first[row].depth = UInt8(truncatingIfNeeded: depth)
                if depth < levels { forest.prefetch(referrer) }
                queue[left] = UInt32(truncatingIfNeeded: row)
                left &+= 1
            }
        }
    }
}
