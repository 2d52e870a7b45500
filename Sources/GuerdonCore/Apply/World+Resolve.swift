// Phase 0: who did it, and was it seen before?

extension World {
    /// Rows that are resolved together: enough to hide the memory's latency, few enough for the nearest cache.
    static let runRows = 64

    /// Finds duplicates and performers of at most ``runRows`` rows, remembers the new ones, and starts loading the uplines.
    ///
    /// In short passes that each load one thing for all rows: a miss costs as much as all the work on an action, and
    /// only many at once hide each other.
    func resolve(_ range: Range<Int>) {
        forEachShape(in: range) { shape, run in
            if let shape {
                resolve(run, shape)
            } else {
                for i in run { rows[i].state = .refusedShape }
            }
        }
    }

    /// Calls `body` with runs of rows that share a shape, in order; the shape is `nil` where there is no such workspace.
    @inline(__always)
    func forEachShape(in range: Range<Int>, _ body: (ActiveShape?, Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            let number = rows[start].shape
            var end = start + 1
            while end < range.upperBound, rows[end].shape == number { end += 1 }
            body(shapes[Int(number)], start..<end)
            start = end
        }
    }

    /// The same for rows of one shape.
    private func resolve(_ run: Range<Int>, _ shape: ActiveShape) {
        let (ids, members) = (shape.workspace.externalIds, shape.workspace.members)
        for i in run { ids.prefetchSlots(rows[i].key) }
        for i in run { members.prefetchSlot(rows[i].memberHash) }
        for i in run { ids.prefetchCandidates(rows[i].key) }
        for i in run { members.prefetchCandidate(rows[i].memberHash) }
        var accepted: UInt64 = 0
        var digest: UInt64 = 0
        let wantsDays = !shape.workspace.boards.isEmpty
        var day = shape.workspace.day
        for i in run {
            resolveOne(i, shape, creates: true)
            guard rows[i].state == .open else { continue }
            if wantsDays {
                let at = rows[i].at
                if day.holds(at) {
                    rows[i].day = Int32(truncatingIfNeeded: day.number)
                } else {
                    rows[i].day = Int32(truncatingIfNeeded: shape.workspace.localDay(at: at))
                    day = shape.workspace.day
                }
            }
            ids.insert(rows[i].key, RememberedId(sequence: rows[i].sequence, content: rows[i].content))
            digest &+= World.digestTerm(rows[i].sequence)
            accepted += 1
        }
        shape.workspace.remembered(accepted, digest: digest)
        if shape.levels > 0 { prefetchUplines(run, shape) }
    }

    /// Starts loading the referrers that the rows' rewards climb over, level by level.
    private func prefetchUplines(_ run: Range<Int>, _ shape: ActiveShape) {
        let forest = shape.workspace.forest
        climbers.removeAll()
        for i in run where rows[i].state == .open { climbers.append(rows[i].member) }
        for c in 0..<climbers.count { forest.prefetch(climbers[c]) }
        for _ in 1..<max(shape.levels, 1) {
            var left = 0
            for c in 0..<climbers.count {
                let referrer = forest.referrer(of: climbers[c])
                climbers[left] = referrer
                if referrer != Forest.none { left += 1 }
            }
            climbers.truncate(to: left)
            for c in 0..<left { forest.prefetch(climbers[c]) }
            if left == 0 { return }
        }
    }

    /// Resolves an action that is applied alone, and remembers nothing yet: a refused command leaves no trace.
    func resolveAlone(_ i: Int) {
        guard let shape = shapes[Int(rows[i].shape)] else {
            rows[i].state = .refusedShape
            return
        }
        resolveOne(i, shape, creates: false)
        rows[i].day = Int32(truncatingIfNeeded: shape.workspace.localDay(at: rows[i].at))
    }

    /// Remembers an action that was resolved alone.
    func remember(_ i: Int, _ shape: ActiveShape) {
        shape.workspace.externalIds.insert(
            rows[i].key, RememberedId(sequence: rows[i].sequence, content: rows[i].content))
        shape.workspace.remembered(1, digest: World.digestTerm(rows[i].sequence))
    }

    private static func digestTerm(_ sequence: UInt64) -> UInt64 { mix(sequence, 0x5bd1_e995) }

    @inline(__always)
    private func resolveOne(_ i: Int, _ shape: ActiveShape, creates: Bool) {
        let workspace = shape.workspace
        if let seen = workspace.externalIds.find(rows[i].key) {
            rows[i].state = seen.content == rows[i].content ? .duplicate : .conflict
            rows[i].first = seen.sequence
            return
        }
        if let member = workspace.members.find(rows[i].memberHash, rows[i].performer) {
            rows[i].member = member
        } else if workspace.autoCreateMembers, shape.refusal == nil, rows[i].state == .open {
            rows[i].member =
                creates
                ? workspace.addMember(hash: rows[i].memberHash, id: rows[i].performer)
                : UInt32(workspace.memberCount)
        } else if !workspace.autoCreateMembers {
            rows[i].state = .unknownMember
            return
        }
        if shape.refusal != nil { rows[i].state = .refusedShape }
    }
}
