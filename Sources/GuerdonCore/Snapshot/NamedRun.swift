/// A run of sealed external ids that a snapshot counts on.
public struct NamedRun: Equatable, Sendable {
    /// Number of the workspace.
    public var workspace: Int
    public var run: SealedRunName

    /// Number of the section that lists them: the first one of a snapshot, if it is there at all.
    public static let section = StateSection.sealedRuns.rawValue

    /// Names a run of a workspace.
    public init(workspace: Int, run: SealedRunName) {
        self.workspace = workspace
        self.run = run
    }

    func write(to out: ByteSink) {
        out.writeVarint(UInt64(workspace))
        out.writeVarint(run.number)
        out.writeVarint(run.count)
        out.writeVarint(run.lastSequence)
        out.writeVarint(UInt64(run.checksum))
    }

    /// The runs that a snapshot's first piece lists.
    ///
    /// - Throws: ``MalformedBytes`` when it is not what ``WorldImage`` wrote.
    public static func all(in bytes: UnsafeRawBufferPointer) throws(MalformedBytes) -> [NamedRun] {
        var source = ByteSource(bytes)
        var found: [NamedRun] = []
        while !source.isAtEnd {
            guard let workspace = Int(exactly: try source.varint()) else {
                throw MalformedBytes(offset: source.position)
            }
            let run = SealedRunName(
                number: try source.varint(), count: try source.varint(), lastSequence: try source.varint(),
                checksum: UInt32(truncatingIfNeeded: try source.varint()))
            found.append(NamedRun(workspace: workspace, run: run))
        }
        return found
    }
}
