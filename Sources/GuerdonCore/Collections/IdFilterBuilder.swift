/// Builds an `IdFilter` from keys in ascending order.
///
/// A key costs some twenty instructions; only the keys that find their line full are kept until their group is complete.
struct IdFilterBuilder {
    private let count: Int
    private let places: UInt64
    private var added = 0
    private let lines: IdFilterLines
    private var writer: IdFilterLineWriter
    private var groups: [IdFilter.Group] = []
    /// Places from here on belong to the next group.
    private var groupEnd: UInt64
    /// The lower halves of the group's keys that found no room.
    private var displaced: [UInt64] = []
    /// Spare lines, eight words each.
    private var spares: [UInt64] = []

    private static let placesPerGroup = UInt64(IdFilter.Group.lineCount) * IdFilterLine.buckets

    /// - Parameter count: how many keys will come.
    init(count: Int) {
        self.count = count
        lines = IdFilterLines(count: IdFilter.lineCount(count))
        writer = IdFilterLineWriter(lines.lines.start, count: lines.lines.count)
        places = UInt64(lines.lines.count) * IdFilterLine.buckets
        groupEnd = min(Self.placesPerGroup, places)
        displaced.reserveCapacity(min(count, IdFilter.Group.lineCount * 4))
        // One key in thirteen needs a spare line.
        spares.reserveCapacity((count / 12 / IdFilter.Group.load + 4) * Self.wordsPerLine)
    }

    @inline(__always)
    mutating func add(_ key: ExternalIdKey) {
        let hashed = IdFilter.HashedKey(key)
        let place = hashed.place(among: places)
        if place >= groupEnd { finishGroups(before: place) }
        if !writer.add(place: place, hashed.fingerprint) { displaced.append(hashed.low) }
        added &+= 1
    }

    consuming func finish() -> IdFilter {
        precondition(added == count, "not as many keys as announced")
        writer.finish()
        finishGroups(before: places)
        let finished = spares.withUnsafeBytes { IdFilterLines($0) }
        return IdFilter(count: count, groups: groups, lines: lines, spares: finished)
    }

    @inline(never)
    private mutating func finishGroups(before place: UInt64) {
        while groups.count < IdFilter.groupCount(count), place >= groupEnd {
            finishGroup()
            groupEnd = min(groupEnd + Self.placesPerGroup, places)
        }
    }

    /// Makes the spare lines of a group, level by level.
    private mutating func finishGroup() {
        var group = IdFilter.Group(start: UInt32(spares.count / Self.wordsPerLine))
        var level = 0
        while !displaced.isEmpty, level < IdFilter.Group.levels {
            group.lines[level] = UInt16(min(displaced.count / IdFilter.Group.load + 1, Int(UInt16.max)))
            fillLevel(level, group.lines[level])
            level += 1
        }
        displaced.removeAll(keepingCapacity: true)
        groups.append(group)
    }

    private static let wordsPerLine = IdFilterLine.bytes / 8

    /// Puts what is displaced into `count` new lines, and keeps what finds no room there.
    private mutating func fillLevel(_ level: Int, _ count: UInt16) {
        let sorted = Self.sorted(displaced, level: level, lines: count)
        displaced.removeAll(keepingCapacity: true)
        let start = spares.count
        spares.append(contentsOf: repeatElement(0, count: Int(count) * Self.wordsPerLine))
        spares.withUnsafeMutableBytes { bytes in
            let first = bytes.baseAddress.unsafelyUnwrapped + start * 8
            var writer = IdFilterLineWriter(first, count: Int(count))
            for low in sorted {
                let place = IdFilter.Group.place(low, level: level, lines: count)
                if !writer.add(place: place, UInt16(truncatingIfNeeded: low)) { displaced.append(low) }
            }
            writer.finish()
        }
    }

    /// In the order of their places: counted, then each put where those before it end.
    private static func sorted(_ lows: [UInt64], level: Int, lines: UInt16) -> [UInt64] {
        var starts = [Int](repeating: 0, count: Int(lines) * Int(IdFilterLine.buckets) + 1)
        for low in lows { starts[Int(IdFilter.Group.place(low, level: level, lines: lines)) + 1] += 1 }
        for place in 1..<starts.count { starts[place] += starts[place - 1] }
        var sorted = [UInt64](repeating: 0, count: lows.count)
        for low in lows {
            let place = Int(IdFilter.Group.place(low, level: level, lines: lines))
            sorted[starts[place]] = low
            starts[place] += 1
        }
        return sorted
    }
}
