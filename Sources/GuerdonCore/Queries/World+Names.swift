// Names for numbers: what replies show instead of indexes.

extension World {
    /// Number of workspaces.
    public var workspaceCount: Int { workspaces.count }

    /// Members of all workspaces.
    public var memberCount: Int { workspaces.reduce(0) { $0 + $1.memberCount } }

    /// Actions that were accepted, in all workspaces.
    public var actionCount: UInt64 { workspaces.reduce(0) { $0 + $1.actionCount } }

    /// Conditions that failed while they were evaluated, in all workspaces.
    public var conditionErrors: UInt64 { workspaces.reduce(0) { $0 + $1.conditionErrors } }

    /// Index of a workspace.
    ///
    /// - Throws: `unknown_workspace`.
    public func workspaceIndex(_ name: Text) throws(Refusal) -> Int { try workspace(name).index }

    /// A member's id, valid until the world changes.
    @inline(__always)
    public func memberID(workspace: Int, member: UInt32) -> UnsafeRawBufferPointer {
        workspaces[workspace].members.id(member)
    }

    /// A currency's code.
    public func currencyCode(workspace: Int, currency: Int) -> Text { workspaces[workspace].currencies[currency].code }

    /// A currency's decimals.
    public func currencyScale(workspace: Int, currency: Int) -> Int { workspaces[workspace].currencies[currency].scale }

    /// A plan's id, by the index of one of its versions.
    public func planID(workspace: Int, plan: UInt32) -> Text {
        workspaces[workspace].plans[Int(plan)].definition.plan
    }

    /// Counts the versions of a plan, from 1.
    public func planVersion(workspace: Int, plan: UInt32) -> Int { workspaces[workspace].plans[Int(plan)].version }

    /// A bonus's id.
    public func bonusID(workspace: Int, plan: UInt32, bonus: Int) -> Text {
        workspaces[workspace].plans[Int(plan)].bonuses[bonus].name
    }

    /// A reward's description.
    func rewardDescription(workspace: Int, posting: Posting) -> Text? {
        workspaces[workspace].plans[Int(posting.plan)].bonuses[Int(posting.bonus)].rewards[Int(posting.reward)]
            .description
    }
}
