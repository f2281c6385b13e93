using System.Runtime.InteropServices;

namespace Concertina.Compute.Store;

/// <summary>The disk of the operating system.</summary>
internal sealed partial class StoreDisk : IStoreDisk
{
    public void Flush(Stream file)
    {
        if (file is FileStream stream)
        {
            stream.Flush(flushToDisk: true);
        }
        else
        {
            file.Flush();
        }
    }

    public void Rename(string from, string to) => File.Move(from, to, overwrite: true);

    // .NET opens no folders, so this asks the C library. NTFS journals its names itself, and has no such call.
    public void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            return;
        }
        int descriptor = OpenFile(folder, flags: 0);
        if (descriptor < 0)
        {
            throw new IOException($"The folder '{folder}' could not be opened to bring its names to the disk: error {Marshal.GetLastPInvokeError()}.");
        }
        int result = Sync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = CloseFile(descriptor);
        if (result != 0)
        {
            throw new IOException($"The names in folder '{folder}' could not be brought to the disk: error {error}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);
}
