/// The names in a world while it does not change: taken once a batch, asked once a reward.
public struct WorldNames: NameSource {
    private let workspaces: ContiguousArray<Workspace>

    /// Names of the state as it is; not to be used after the next batch is applied.
    public init(_ world: World) { workspaces = world.workspaces }

    public func memberID(workspace: Int, member: UInt32) -> UnsafeRawBufferPointer {
        workspaces[workspace].members.id(member)
    }

    public func currencyCode(workspace: Int, currency: Int) -> Text { workspaces[workspace].currencies[currency].code }

    public func currencyScale(workspace: Int, currency: Int) -> Int { workspaces[workspace].currencies[currency].scale }

    public func planID(workspace: Int, plan: UInt32) -> Text {
        workspaces[workspace].plans[Int(plan)].definition.plan
    }

    public func bonusID(workspace: Int, plan: UInt32, bonus: Int) -> Text {
        workspaces[workspace].plans[Int(plan)].bonuses[bonus].name
    }
}
