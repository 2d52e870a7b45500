import Synchronization

// Blocks that were written before need no allocation when they are written again: a sync then takes half the time.
// Files of archived segments are therefore kept for new segments. Records of their earlier life carry another segment
// tag and are never taken for records of the new one.
extension BatchLog {
    /// Takes the file of an archived segment out of the log: aside for a new segment, or away if enough are waiting.
    func retire(_ segment: Segment) throws(StoreError) {
        let path = segment.file.path
        if state.withLock({ $0.spares.count }) < BatchLog.sparesMost {
            let sparePath = Segment.sparePath(segment.header.index, in: directory.walPath)
            // A reader may still stand in the segment, with the old descriptor: the count of its holders is not ours.
            try directory.system.rename(path, to: sparePath)
            let spare = Spare(file: try directory.system.open(sparePath, .update), reader: segment.file)
            state.withLock { $0.spares.append(spare) }
        } else {
            try directory.system.remove(path)
        }
        try directory.system.syncDirectory(directory.walPath)
    }

    /// A file for the next segment, which nobody reads any more; `nil` if there is none.
    func takeSpare() -> File? {
        state.withLock { state in
            for place in state.spares.indices where state.spares[place].isUnread {
                return state.spares.remove(at: place).file
            }
            return nil
        }
    }

    /// A file that waits for its blocks to be used again.
    struct Spare {
        let file: File
        /// The descriptor under the old name, as long as a reader may hold it too.
        private var reader: File?

        init(file: File, reader: File? = nil) {
            self.file = file
            self.reader = reader
        }

        /// Whether every reader of the segment's earlier life has gone.
        var isUnread: Bool {
            mutating get {
                guard reader != nil else { return true }
                return isKnownUniquelyReferenced(&reader)
            }
        }
    }
}
