using System.Runtime.Versioning;
using System.Text;
using Concertina.Runtime.Storage;
using Orleans.Storage;

namespace Concertina.Runtime.Tests.Storage;

public sealed class FileStateStoreTests : IDisposable
{
    private static readonly StateKey Key = new("sequence/tenant/../ß\n", "session");

    private readonly string _directory = Directory.CreateTempSubdirectory("state").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_was_written_is_read_by_the_next_process()
    {
        using (FileStateStore store = new(_directory))
        {
            string etag = await store.WriteAsync(Key, "one"u8.ToArray(), null, default);
            await store.WriteAsync(Key, "two"u8.ToArray(), etag, default);
        }

        using FileStateStore reopened = new(_directory);
        StateRecord? record = await reopened.ReadAsync(Key, default);

        Assert.Equal("two"u8, record!.Value.Span);
        Assert.Null(await reopened.ReadAsync(Key with { State = "other" }, default));
    }

    [Fact]
    public async Task A_writer_that_read_another_version_is_refused()
    {
        using FileStateStore store = new(_directory);
        string first = await store.WriteAsync(Key, "one"u8.ToArray(), null, default);
        string second = await store.WriteAsync(Key, "two"u8.ToArray(), first, default);

        InconsistentStateException stale = await Assert.ThrowsAsync<InconsistentStateException>(
            async () => await store.WriteAsync(Key, "three"u8.ToArray(), first, default));
        await Assert.ThrowsAsync<InconsistentStateException>(async () => await store.WriteAsync(Key, "x"u8.ToArray(), null, default));
        await Assert.ThrowsAsync<InconsistentStateException>(async () => await store.ClearAsync(Key, first, default));

        Assert.Equal(second, stale.StoredEtag);
        Assert.Equal(first, stale.CurrentEtag);
        Assert.Equal("two", await TextOf(store));
    }

    [Theory]
    [InlineData("write")]
    [InlineData("half")]
    [InlineData("flush")]
    [InlineData("rename")]
    [InlineData("flush directory")]
    public async Task A_crash_at_any_step_leaves_the_old_value_or_the_new_one(string step)
    {
        string first;
        using (FileStateStore store = new(_directory))
        {
            first = await store.WriteAsync(Key, "old"u8.ToArray(), null, default);
            store.BeforeStep = reached => _ = reached == step ? throw new IOException("crash") : 0;
            await Assert.ThrowsAsync<IOException>(async () => await store.WriteAsync(Key, "new"u8.ToArray(), first, default));
        }

        using FileStateStore reopened = new(_directory);
        StateRecord record = (await reopened.ReadAsync(Key, default))!;

        Assert.Equal(step == "flush directory" ? "new"u8 : "old"u8, record.Value.Span);
        await reopened.WriteAsync(Key, "next"u8.ToArray(), record.Etag, default);
        Assert.Equal("next", await TextOf(reopened));
    }

    [Fact]
    public async Task A_folder_is_durable_before_its_first_file()
    {
        using FileStateStore store = new(_directory);
        List<string> steps = [];
        store.BeforeStep = step =>
        {
            steps.Add(step);
            _ = steps.Count == 1 ? throw new IOException("crash") : 0;
        };
        await Assert.ThrowsAsync<IOException>(async () => await store.WriteAsync(Key, "one"u8.ToArray(), null, default));
        string etag = await store.WriteAsync(Key, "one"u8.ToArray(), null, default);
        await store.WriteAsync(Key, "two"u8.ToArray(), etag, default);
        string[] write = ["write", "half", "flush", "rename", "flush directory"];
        Assert.Equal([.. (string[])["flush parent", "flush parent"], .. write, .. write], steps);
    }

    [Fact]
    public async Task Every_cut_and_every_flipped_byte_is_detected()
    {
        using FileStateStore store = new(_directory);
        string first = await store.WriteAsync(Key, "old"u8.ToArray(), null, default);
        await store.WriteAsync(Key, "new"u8.ToArray(), first, default);
        string path = store.PathOf(Key);
        byte[] good = await File.ReadAllBytesAsync(path);

        for (int i = 0; i < good.Length; i++)
        {
            byte[] flipped = [.. good];
            flipped[i] ^= 0x10;
            await AssertDamaged(store, path, flipped);
            await AssertDamaged(store, path, good[..i]);
        }

        await AssertDamaged(store, path, [.. good, 0]);
    }

    [Fact]
    public async Task A_damaged_file_names_the_intact_version_before()
    {
        using FileStateStore store = new(_directory);
        string first = await store.WriteAsync(Key, "old"u8.ToArray(), null, default);
        await store.WriteAsync(Key, "new"u8.ToArray(), first, default);
        string path = store.PathOf(Key);
        await File.WriteAllBytesAsync(path, [1, 2, 3]);

        StateDamagedException damaged = await Assert.ThrowsAsync<StateDamagedException>(async () => await store.ReadAsync(Key, default));

        File.Move(damaged.IntactPreviousPath!, path, overwrite: true);
        Assert.Equal("old", await TextOf(store));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Only_the_owner_may_read_and_only_one_process_may_write()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes.");
        using FileStateStore store = new(_directory);
        await store.WriteAsync(Key, "one"u8.ToArray(), null, default);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.PathOf(Key)));
        Assert.Throws<IOException>(() => new FileStateStore(_directory));
    }

    private static async Task<string> TextOf(FileStateStore store) =>
        Encoding.UTF8.GetString((await store.ReadAsync(Key, default))!.Value.Span);

    private static async Task AssertDamaged(FileStateStore store, string path, byte[] bytes)
    {
        await File.WriteAllBytesAsync(path, bytes);
        StateDamagedException damaged = await Assert.ThrowsAsync<StateDamagedException>(async () => await store.ReadAsync(Key, default));
        Assert.Contains(path, damaged.Message, StringComparison.Ordinal);
    }
}
