namespace Concertina.Engine.Tests.Kit;

/// <summary>The demo model of this checkout.</summary>
internal static class DemoModelFile
{
    /// <summary>Its path, or null where the checkout has none.</summary>
    public static string? Path()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = System.IO.Path.Combine(folder.FullName, "models", "demo", "demo-q8_0.gguf");
            if (File.Exists(path))
            {
                return path;
            }
        }
        return null;
    }
}
