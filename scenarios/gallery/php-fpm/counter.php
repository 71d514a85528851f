<?php
// Counts in a session, and says where an upload was put.
session_id('gallery');
session_start();
$_SESSION['count'] = ($_SESSION['count'] ?? 0) + 1;
echo 'count ', $_SESSION['count'], "\n";
foreach ($_FILES as $file) {
  echo 'got ', file_get_contents($file['tmp_name']), "\n";
}
