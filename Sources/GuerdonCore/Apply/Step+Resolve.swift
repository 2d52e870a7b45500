// Phase 0: who did it, and was it seen before?

extension Step {
    /// Finds duplicates and performers of at most ``runRows`` rows, and remembers the new ones.
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

    /// The same for rows of one shape.
    private func resolve(_ run: Range<Int>, _ shape: ActiveShape) {
        let (rows, ids, members) = (rows, shape.workspace.externalIds, shape.workspace.members)
        rows.forEach(in: run) { ids.prefetchSlots($0.pointee.key) }
        rows.forEach(in: run) { members.prefetchSlot($0.pointee.memberHash) }
        rows.forEach(in: run) { ids.prefetchCandidates($0.pointee.key) }
        rows.forEach(in: run) { members.prefetchCandidate($0.pointee.memberHash) }
        var accepted: UInt64 = 0
        var digest: UInt64 = 0
        let wantsDays = !shape.workspace.boards.isEmpty
        var day = shape.workspace.day
        rows.forEach(in: run) { row in
            Step.resolveOne(row, shape, creates: true)
            guard row.pointee.state == .open else { return }
            if wantsDays {
                let at = row.pointee.at
                if day.holds(at) {
                    row.pointee.day = Int32(truncatingIfNeeded: day.number)
                } else {
                    row.pointee.day = Int32(truncatingIfNeeded: shape.workspace.localDay(at: at))
                    day = shape.workspace.day
                }
            }
            ids.insert(
                row.pointee.key, RememberedId(sequence: row.pointee.sequence, content: row.pointee.content))
            digest &+= Step.digestTerm(row.pointee.sequence)
            accepted += 1
        }
        shape.workspace.remembered(accepted, digest: digest)
    }

    /// Finds the uplines of resolved rows.
    func climb(_ range: Range<Int>) {
        forEachShape(in: range) { shape, run in
            guard let shape else { return }
            uplines.climb(run, of: rows, levels: shape.levels, shape.workspace.forest)
        }
    }

    /// Resolves an action that is applied alone, and remembers nothing yet: a refused command leaves no trace.
    func resolveAlone(_ i: Int) {
        guard let shape = shapes[Int(rows[i].shape)] else {
            rows[i].state = .refusedShape
            return
        }
        Step.resolveOne(rows.address(of: i), shape, creates: false)
        rows[i].day = Int32(truncatingIfNeeded: shape.workspace.localDay(at: rows[i].at))
        climb(i..<i + 1)
    }

    /// Remembers an action that was resolved alone.
    func remember(_ i: Int, _ shape: ActiveShape) {
        shape.workspace.externalIds.insert(
            rows[i].key, RememberedId(sequence: rows[i].sequence, content: rows[i].content))
        shape.workspace.remembered(1, digest: Step.digestTerm(rows[i].sequence))
    }

    private static func digestTerm(_ sequence: UInt64) -> UInt64 { mix(sequence, 0x5bd1_e995) }

    @inline(__always)
    private static func resolveOne(_ row: UnsafeMutablePointer<ActionRow>, _ shape: ActiveShape, creates: Bool) {
        let workspace = shape.workspace
        if let seen = workspace.externalIds.find(row.pointee.key) {
            row.pointee.state = seen.content == row.pointee.content ? .duplicate : .conflict
            row.pointee.first = seen.sequence
            return
        }
        if let member = workspace.members.find(row.pointee.memberHash, row.pointee.performer) {
            row.pointee.member = member
        } else if workspace.autoCreateMembers, shape.refusal == nil, row.pointee.state == .open {
            row.pointee.member =
                creates
                ? workspace.addMember(hash: row.pointee.memberHash, id: row.pointee.performer)
                : UInt32(workspace.memberCount)
        } else if !workspace.autoCreateMembers {
            row.pointee.state = .unknownMember
            return
        }
        if shape.refusal != nil { row.pointee.state = .refusedShape }
    }
}
