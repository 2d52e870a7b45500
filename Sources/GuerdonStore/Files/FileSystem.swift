import Glibc

/// Directory operations, each durable only after ``syncDirectory(_:)`` of the parent.
struct FileSystem: Sendable {
    let faults: FaultPlan?

    /// Creates a directory for its owner only; fine if it exists.
    func makeDirectory(_ path: String) throws(StoreError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StoreError.system("create directory", path, errno)
        }
    }

    /// Names in a directory, sorted, without `.` and `..`; `nil` if there is no such directory.
    func list(_ path: String) throws(StoreError) -> [String]? {
        guard let directory = opendir(path) else {
            if errno == ENOENT { return nil }
            throw StoreError.system("read directory", path, errno)
        }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw StoreError.system("read directory", path, errno) }
        return names.sorted()
    }

    func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    func rename(_ source: String, to target: String) throws(StoreError) {
        if let fault = faults?.next(.rename) { throw StoreError.system("rename", source, fault.errorNumber) }
        guard Glibc.rename(source, target) == 0 else { throw StoreError.system("rename", source, errno) }
    }

    /// Removes a file; fine if it is not there.
    func remove(_ path: String) throws(StoreError) {
        if let fault = faults?.next(.remove) { throw StoreError.system("remove", path, fault.errorNumber) }
        guard unlink(path) == 0 || errno == ENOENT else { throw StoreError.system("remove", path, errno) }
    }

    /// Removes a file that may be large, piece by piece, for a thread that nobody waits for; fine if it is not there.
    ///
    /// The name goes at once, the blocks a few megabytes at a time within a second or so: a file system that frees a large
    /// file in one piece may hold up every sync for a tenth of a second, those of the log, too. A file that somebody has under
    /// another name, or is reading, keeps its content for them.
    /// - Parameter isHurried: when true, the rest goes in one piece.
    func removeGradually(_ path: String, isHurried: () -> Bool = { false }) throws(StoreError) {
        let file = try? open(path, .update)
        try remove(path)
        // What cannot be freed piece by piece is freed with the file, which has gone by its name.
        if let file, file.isOursAlone { try? shrink(file, isHurried) }
    }

    private func shrink(_ file: File, _ isHurried: () -> Bool) throws(StoreError) {
        var length = try file.size
        let piece = max(FileSystem.removedAtOnce, length / FileSystem.piecesAtMost)
        while length > piece, !isHurried() {
            length -= piece
            try file.truncate(to: length)
            // Commits what was freed, so that the pieces do not gather until the file system does.
            try file.sync(metadata: true)
            usleep(FileSystem.restMicroseconds)
        }
    }

    private static let removedAtOnce: UInt64 = 4 << 20
    private static let piecesAtMost: UInt64 = 64
    private static let restMicroseconds: UInt32 = 10_000

    /// Makes the entries of a directory durable.
    func syncDirectory(_ path: String) throws(StoreError) {
        if let fault = faults?.next(.sync) { throw StoreError.system("sync directory", path, fault.errorNumber) }
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.system("open directory", path, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError.system("sync directory", path, errno) }
    }

    func open(_ path: String, _ mode: File.Mode) throws(StoreError) -> File {
        try File(path, mode, faults: faults)
    }

    /// Writes `contents` aside and puts it in place of `path`, durable when it returns.
    func replace(_ path: String, in directory: String, with contents: [UInt8]) throws(StoreError) {
        let aside = path + ".tmp"
        try remove(aside)
        let file = try open(aside, .create)
        try file.write(contents, at: 0)
        try file.sync(metadata: true)
        try rename(aside, to: path)
        try syncDirectory(directory)
    }
}
