namespace Concertina.Compute.Store;

/// <summary>The calls by which what was written survives a crash of the machine. Tests put one in its place that keeps the order. Thread-safe.</summary>
internal interface IStoreDisk
{
    /// <summary>Brings what was written to a file to the disk.</summary>
    /// <exception cref="IOException">The disk is full or gone.</exception>
    void Flush(Stream file);

    /// <summary>Gives a file another name, in the place of what had it.</summary>
    /// <exception cref="IOException">The names are on different volumes, or the disk is gone.</exception>
    void Rename(string from, string to);

    /// <summary>Brings the names in a folder to the disk: of files that were made, renamed or removed there.</summary>
    /// <exception cref="IOException">The folder cannot be opened or the disk is gone; the message has the error's number.</exception>
    void SyncFolder(string folder);
}
