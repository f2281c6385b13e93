using Concertina.Compute.Store;
using Concertina.Compute.Store.Pages;

namespace Concertina.Grains.Tests.Store.Pages;

/// <summary>Page files with records of random bytes, written and read whole.</summary>
internal static class PageFiles
{
    public const int RecordBytes = 40;
    public const string Key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private const int MostBytes = 1 << 20;

    public static PageFileOwner Owner { get; } = Of("tenant/session");

    public static PageFileOwner Of(string session) =>
        new(new SessionIdentity(session, session.Split('/')[0], "model", Epoch: 3), "formats");

    public static List<byte[]> Records(int count, int seed)
    {
        Random random = new(seed);
        List<byte[]> records = [];
        for (int i = 0; i < count; i++)
        {
            records.Add(new byte[RecordBytes]);
            random.NextBytes(records[^1]);
        }
        return records;
    }

    public static SessionFileFault Write(PageFileStore store, PageFileOwner owner, List<byte[]> records, bool isWanted = true, bool disposes = true)
    {
        Assert.Equal(SessionFileFault.None, store.TryBegin(owner, records.Sum(record => record.Length), out PageFileWrite? write));
        try
        {
            records.ForEach(record => write!.Add(record.ToArray()));
            return write!.Commit(() => isWanted);
        }
        finally
        {
            if (disposes)
            {
                write!.Dispose();
            }
        }
    }

    /// <summary>All records, or none and why. What is read again after the check is what the check saw.</summary>
    public static PageFileContent Read(this PageFileStore store, in PageFileOwner owner)
    {
        SessionFileFault fault = store.TryOpen(owner, out PageFileReading? reading, out string detail);
        using (reading)
        {
            if (reading is null)
            {
                return new PageFileContent([], fault, detail);
            }
            List<byte[]> records = [];
            fault = reading.Check(MostBytes, (_, record) =>
            {
                records.Add(record.ToArray());
                return null;
            }, out detail);
            if (fault != SessionFileFault.None)
            {
                return new PageFileContent([], fault, detail);
            }
            reading.Rewind();
            Assert.Equal(records, records.Select(_ => reading.Next()!));
            return new PageFileContent(records, fault, detail);
        }
    }

    public static SessionFileFault AssertRefused(PageFileStore store, PageFileOwner owner, string what)
    {
        PageFileContent read = store.Read(owner);
        Assert.True(
            read.Fault is SessionFileFault.HalfWritten or SessionFileFault.Damaged or SessionFileFault.Version or SessionFileFault.Foreign
                or SessionFileFault.StaleEpoch or SessionFileFault.Formats, $"{what}: {read.Fault} {read.Detail}");
        Assert.Empty(read.Records);
        return read.Fault;
    }
}

/// <summary>What a page file gave: all of its records, or none.</summary>
internal readonly record struct PageFileContent(IReadOnlyList<byte[]> Records, SessionFileFault Fault, string Detail);
