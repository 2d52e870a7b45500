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
        members.grow(to: (levels + 1) * Step.capacity, with: Forest.none)
        climbers.removeAll()
        var number = range.lowerBound
        rows.forEach(in: range) { row in
            if row.pointee.state == .open {
                members[number] = row.pointee.member
                row.pointee.depth = 0
                climbers.append(UInt32(truncatingIfNeeded: number))
            }
            number &+= 1
        }
        var level = 0
        while level < levels, climbers.count > 0 {
            var left = 0
            for c in 0..<climbers.count {
                let row = Int(climbers[c])
                let referrer = forest.referrer(of: member(level, of: row))
                if referrer == Forest.none { continue }
                members[(level &+ 1) &* Step.capacity &+ row] = referrer
                rows.address(of: row).pointee.depth &+= 1
                if level &+ 1 < levels { forest.prefetch(referrer) }
                climbers[left] = UInt32(truncatingIfNeeded: row)
                left &+= 1
            }
            climbers.truncate(to: left)
            level &+= 1
        }
    }
}
