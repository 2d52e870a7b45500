import Glibc

/// What the kernel tells about a running process.
struct ProcessMeter {
    let process: pid_t

    /// Seconds of processor time of all its threads, user and system; nil when it is gone.
    var cpuSeconds: Double? {
        guard let stat = readText("/proc/\(process)/stat"), let nameEnd = stat.lastIndex(of: ")") else { return nil }
        // Behind the name, which may hold spaces: state is field 3, utime 14, stime 15.
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return nil }
        return (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
    }

    /// Bytes of memory that the process holds; nil when it is gone.
    var residentBytes: Int? {
        guard let fields = readText("/proc/\(process)/statm")?.split(separator: " "), fields.count > 1,
            let pages = Int(fields[1])
        else { return nil }
        return pages * sysconf(CInt(_SC_PAGESIZE))
    }
}

/// The whole content of a small file; nil when it cannot be read.
func readText(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: chunk[..<count])
    }
}

/// The names in a directory, without the two dots; empty when it cannot be read.
func directoryNames(_ path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}

/// Removes a directory with everything in it; what cannot be removed stays.
func removeTree(_ path: String) {
    for name in directoryNames(path) {
        var status = stat()
        let child = path + "/" + name
        guard lstat(child, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR { removeTree(child) } else { unlink(child) }
    }
    rmdir(path)
}
