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

    /// A reward's description.
    func rewardDescription(workspace: Int, posting: Posting) -> Text? {
        workspaces[workspace].plans[Int(posting.plan)].bonuses[Int(posting.bonus)].rewards[Int(posting.reward)]
            .description
    }
}
