// Phase 0: who did it, and was it seen before?

extension Step {
    /// Begins to look for the external ids of a group of rows.
    func searchIds(_ group: Range<Int>) {
        forEachShape(in: group) { shape, run in
            guard let ids = shape?.workspace.externalIds else { return }
            for i in run { idSearches[i] = ids.search(rows.address(of: i).pointee.key) }
        }
    }

    /// Begins to look for their performers.
    func searchMembers(_ group: Range<Int>) {
        forEachShape(in: group) { shape, run in
            guard let members = shape?.workspace.members else { return }
            for i in run { memberSearches[i] = members.search(rows.address(of: i).pointee.memberHash) }
        }
    }

    /// Goes on to where their external ids are, if they are known.
    func finishIds(_ group: Range<Int>) {
        forEachShape(in: group) { shape, run in
            guard let ids = shape?.workspace.externalIds else { return }
            ids.finish(searches(idSearches, run)) { rows.address(of: run.lowerBound &+ $0).pointee.key }
        }
    }

    /// Goes on to where their performers are.
    func finishMembers(_ group: Range<Int>) {
        forEachShape(in: group) { shape, run in
            guard let members = shape?.workspace.members else { return }
            members.finish(searches(memberSearches, run))
        }
    }

    private func searches(_ all: UnsafeMutablePointer<IdSearch>, _ run: Range<Int>) -> UnsafeMutableBufferPointer<
        IdSearch
    > {
        UnsafeMutableBufferPointer(start: all + run.lowerBound, count: run.count)
    }

    /// Finds duplicates and performers of a group whose searches have ended, and remembers the new ones.
    func resolve(_ group: Range<Int>) {
        forEachShape(in: group) { shape, run in
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
        let forest = shape.workspace.forest
        var accepted: UInt64 = 0
        var digest: UInt64 = 0
        let wantsDays = !shape.workspace.boards.isEmpty
        var day = shape.workspace.day
        var number = run.lowerBound
        rows.forEach(in: run) { row in
            let (id, member) = (idSearches[number], memberSearches[number])
            number &+= 1
            let known = members.find(row.pointee.memberHash, row.pointee.performer, after: member)
            Step.resolveOne(row, shape, ids.find(row.pointee.key, after: id), known, creates: true)
            guard row.pointee.state == .open else { return }
            forest.prefetch(row.pointee.member)
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
                row.pointee.key, RememberedId(sequence: row.pointee.sequence, content: row.pointee.content),
                after: id)
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
        let (row, workspace) = (rows.address(of: i), shape.workspace)
        Step.resolveOne(
            row, shape, workspace.externalIds.find(row.pointee.key),
            workspace.members.find(row.pointee.memberHash, row.pointee.performer), creates: false)
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
    private static func resolveOne(
        _ row: UnsafeMutablePointer<ActionRow>, _ shape: ActiveShape, _ seen: RememberedId?,
        _ member: UInt32?, creates: Bool
    ) {
        let workspace = shape.workspace
        if let seen {
            row.pointee.state = seen.content == row.pointee.content ? .duplicate : .conflict
            row.pointee.first = seen.sequence
            return
        }
        if let member {
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
