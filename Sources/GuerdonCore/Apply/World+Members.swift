// Creating and changing members.

extension World {
    /// Creates the member whom the command at the source's position names, where that is all it does: without the copies that
    /// ``put(_:_:)-(MemberPut,_)`` makes of whatever else it may say.
    ///
    /// - Returns: `nil`, with the source where it was, for any other command, and for one that must be refused.
    func createMember(_ source: inout ByteSource) -> CommandExtra? {
        var ahead = source
        guard let put = BareMemberPut(&ahead), let workspace = workspace(named: put.workspace) else { return nil }
        let memberHash = hash.hash64(put.member)
        guard workspace.members.find(memberHash, put.member) == nil else { return nil }
        var referrer: UInt32?
        if let id = put.referrer {
            guard let found = workspace.members.find(hash.hash64(id), id) else { return nil }
            referrer = found
        }
        let member = workspace.addMember(hash: memberHash, id: put.member)
        if let referrer { workspace.forest.link(member, to: referrer) }
        source = ahead
        return .member(created: true, referralCode: workspace.codes.automatic(member))
    }

    private func workspace(named name: UnsafeRawBufferPointer) -> Workspace? {
        if let importing, importing.name.bytes.elementsEqual(name) { return importing }
        importing = workspaceIndex[Text(copying: name)].map { workspaces[$0] }
        return importing
    }

    func put(_ c: MemberPut, _ workspace: Workspace) throws(Refusal) -> CommandExtra {
        let existing = workspace.member(c.member)
        let referrer = try referrer(c, workspace, existing: existing)
        var profile = existing.flatMap { workspace.profile(of: $0) } ?? Profile()
        let oldCode = profile.code
        apply(c.name, &profile.name)
        apply(c.email, &profile.email)
        apply(c.phone, &profile.phone)
        apply(c.birthday, &profile.birthday)
        apply(c.registered, &profile.registered)
        apply(c.kind, &profile.kind)
        if let tags = c.tags { profile.tags = Set(tags).sorted() }
        if c.clearAttributes { profile.attributes = [] }
        for entry in c.attributes {
            profile.attributes.removeAll { $0.key == entry.key }
            if entry.value != .null { profile.attributes.append(entry) }
        }
        profile.attributes.sort { $0.key < $1.key }
        try setCode(c.code, &profile, workspace, existing: existing)

        let member = existing ?? c.member.bytes.withUnsafeBytes { workspace.addMember(hash: hash.hash64($0), id: $0) }
        if let referrer { workspace.forest.link(member, to: referrer) }
        if profile.code != oldCode {
            if let oldCode { workspace.codes.byHand[oldCode] = nil }
            if let code = profile.code { workspace.codes.byHand[code] = member }
        }
        workspace.setProfile(profile == Profile() ? nil : profile, of: member)
        return .member(created: existing == nil, referralCode: workspace.referralCode(of: member))
    }

    private func apply(_ change: Change<Text>, _ value: inout Text?) {
        switch change {
        case .keep: break
        case .clear: value = nil
        case .set(let new): value = new
        }
    }

    /// The referrer that the command sets; `nil` when it leaves him as he is.
    private func referrer(_ c: MemberPut, _ workspace: Workspace, existing: UInt32?) throws(Refusal) -> UInt32? {
        let current = existing.map { workspace.forest.referrer(of: $0) } ?? Forest.none
        var wanted: UInt32?
        var field = "referralCode"
        switch c.referrer {
        case .keep: break
        case .clear:
            field = "referrer"
            if current != Forest.none {
                throw Refusal(
                    .alreadyReferred, field: "referrer",
                    "\"\(c.member)\" has a referrer, and member.put cannot take him away.")
            }
        case .set(let id):
            field = "referrer"
            if id == c.member { throw selfReferral(c.member, field: field) }
            guard let found = workspace.member(id) else { throw Refusal.unknownMember(id, field: field) }
            wanted = found
        }
        if let code = c.referralCode {
            guard let found = workspace.codes.member(with: code, count: workspace.memberCount) else {
                throw Refusal(.unknownMember, field: "referralCode", "No member has the referral code \"\(code)\".")
            }
            if (wanted != nil && wanted != found) || c.referrer == .clear {
                throw Refusal(
                    .badRequest, field: "referralCode", "referrer and referralCode name different members; give one.")
            }
            if found == existing { throw selfReferral(c.member, field: "referralCode") }
            wanted = found
        }
        guard let wanted, wanted != current else { return nil }
        if current != Forest.none {
            throw Refusal(
                .alreadyReferred, field: field,
                "\"\(c.member)\" was referred by \"\(workspace.id(of: current))\", and member.put cannot change that.")
        }
        if let existing, workspace.forest.isAncestor(existing, of: wanted) {
            throw Refusal(
                .cycle, field: field,
                "\"\(workspace.id(of: wanted))\" stands below \"\(c.member)\" in the referral tree.")
        }
        return wanted
    }

    private func selfReferral(_ id: Text, field: String) -> Refusal {
        Refusal(.selfReferral, field: field, "\"\(id)\" cannot refer himself.")
    }

    private func setCode(
        _ change: Change<Text>, _ profile: inout Profile, _ workspace: Workspace, existing: UInt32?
    ) throws(Refusal) {
        switch change {
        case .keep: return
        case .clear: profile.code = nil
        case .set(let code):
            // His since before a template could make it, perhaps: no conflict.
            if code == profile.code { return }
            let owner = workspace.codes.member(with: code, count: workspace.memberCount)
            let own = workspace.codes.automatic(existing ?? UInt32(workspace.memberCount))
            if code == own {
                profile.code = nil
                return
            }
            if (owner != nil && owner != existing) || workspace.codes.isReserved(code) {
                throw Refusal(
                    .conflict, field: "code", "The referral code \"\(code)\" is taken or belongs to the template.")
            }
            profile.code = code
        }
    }
}
